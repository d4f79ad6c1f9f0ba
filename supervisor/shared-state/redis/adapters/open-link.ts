import { formatAddress } from '../../../base/address.ts'
import type { LinkEvents, OpenLink, RedisLink } from '../link.ts'
import type { RedisLoginKeys } from '../login-keys.ts'
import type { RedisUrl } from '../url.ts'
import { clusterOpener } from './open-cluster.ts'
import { IsReplica, openServer, type ServerLogin, socketTo } from './open-server.ts'
import { createMasterQuestion, type SentinelLogin, type Sentinels } from './sentinels.ts'

/** Store that links are opened to. */
export interface LinkTarget extends ServerLogin, SentinelLogin, Pick<RedisUrl, 'at'> {}

/** Store at a URL, with the login of the keys beside it. */
export function linkTarget(
  { at, isTls, ...login }: RedisUrl,
  keys: RedisLoginKeys,
  needs: Pick<ServerLogin, 'prefix' | 'needsMaster'>,
): LinkTarget {
  return {
    at,
    isTls,
    database: keys.database ?? login.database ?? 0,
    username: keys.username ?? login.username,
    password: keys.password ?? login.password,
    sentinelUsername: keys.sentinel_username,
    sentinelPassword: keys.sentinel_password,
    ...needs,
  }
}

/** Links to a store: to its server, to the master that Sentinels name, or to all masters of a cluster. */
export function linkOpener(target: LinkTarget): OpenLink {
  const { at, ...login } = target
  if (at.kind === 'cluster') return clusterOpener(at.nodes, login)
  if (at.kind === 'sentinels') return events => openMaster(at, login, events)
  const socket = at.kind === 'socket' ? { path: at.path } : socketTo(at, login.isTls)
  return events => openServer(socket, login, events)
}

/** Time without a Sentinel that names the master, after which who needs a master gives it up: another may have been made one. */
const confirmedMs = 5000

/** Link to the master that Sentinels name. Its check fails once they name another: they close connections to the old one much later. */
async function openMaster(at: Sentinels, login: ServerLogin & SentinelLogin, events: LinkEvents): Promise<RedisLink> {
  const question = createMasterQuestion(at, login)
  try {
    const master = await question.ask()
    const link = await openServer(socketTo(master, login.isTls), { ...login, needsMaster: true }, events).catch(
      (error: unknown) => {
        if (error instanceof IsReplica) throw new Error('the Sentinels still name a replica')
        throw error
      },
    )
    const addressOf = ({ host, port }: typeof master) => formatAddress(host, port)
    let named = addressOf(master)
    let namedAt = performance.now()
    let isAsking = false

    async function ask(): Promise<void> {
      if (isAsking) return
      isAsking = true
      try {
        named = addressOf(await question.ask())
        namedAt = performance.now()
      } catch {
        // no reason not to read from a master that responds
      } finally {
        isAsking = false
      }
    }

    return {
      ...link,
      async check() {
        // a Sentinel that does not respond must not delay it
        ask()
        await link.check()
        if (named !== addressOf(master)) throw new Error(`the Sentinels name another master, ${named}`)
        if (login.needsMaster && performance.now() - namedAt > confirmedMs)
          throw new Error('no Sentinel responds that could name another master')
      },
      close() {
        question.close()
        link.close()
      },
    }
  } catch (error) {
    question.close()
    throw error
  }
}
