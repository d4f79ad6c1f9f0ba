import { messageOf } from '../../../base/errors.ts'
import type { OpenLink } from '../link.ts'
import type { RedisAddress, RedisUrl } from '../url.ts'
import { connectClient } from './client.ts'
import { clusterOpener } from './open-cluster.ts'
import { openServer, type ServerLogin, socketTo } from './open-server.ts'

/** Store that links are opened to. */
export interface LinkTarget extends ServerLogin, Pick<RedisUrl, 'at'> {}

/** Links to a store: to its server, to the master that Sentinels name, or to all masters of a cluster. */
export function linkOpener(target: LinkTarget): OpenLink {
  const { at, ...login } = target
  if (at.kind === 'cluster') return clusterOpener(at.nodes, login)
  return async events => openServer(await locate(at, login.isTls), login, events)
}

async function locate(at: Exclude<RedisUrl['at'], { kind: 'cluster' }>, isTls: boolean) {
  if (at.kind === 'socket') return { path: at.path }
  if (at.kind === 'address') return socketTo(at, isTls)
  const reasons: string[] = []
  for (const sentinel of at.sentinels) {
    try {
      return socketTo(await askSentinel(sentinel, isTls, at.master), isTls)
    } catch (error) {
      reasons.push(`${sentinel.host}:${sentinel.port} ${messageOf(error)}`)
    }
  }
  throw new Error(`no Sentinel names the master ${at.master}: ${reasons.join('; ')}`)
}

async function askSentinel(sentinel: RedisAddress, isTls: boolean, master: string): Promise<RedisAddress> {
  const client = await connectClient(
    { socket: socketTo(sentinel, isTls), username: undefined, password: undefined, database: 0 },
    { version: 2 },
    { onLost: () => {} },
  )
  try {
    const reply = await client.call(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
    const [host, port] = Array.isArray(reply) ? reply.map(String) : []
    if (host === undefined) throw new Error('does not know it')
    return { host, port: Number(port) }
  } finally {
    client.close()
  }
}
