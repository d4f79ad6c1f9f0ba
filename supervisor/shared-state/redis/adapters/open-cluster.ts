import { formatAddress } from '../../../base/address.ts'
import { messageOf } from '../../../base/errors.ts'
import { createClusterLink, mastersOf, readSlots, type SlotRange } from '../cluster.ts'
import type { LinkEvents, OpenLink, RedisLink } from '../link.ts'
import type { RedisAddress } from '../url.ts'
import { connectClient } from './client.ts'
import { openAnyServer, type ServerLogin, socketTo } from './open-server.ts'

/** Links to a cluster, found through any of its nodes: to those named, and to the masters of the link before. */
export function clusterOpener(named: readonly RedisAddress[], login: ServerLogin): OpenLink {
  let masters: readonly RedisAddress[] = []
  return async events => {
    const ranges = await findSlots([...masters, ...named], login)
    masters = mastersOf(ranges)
    const links = await openAll(masters, login, events)
    const link = createClusterLink(links, ranges, login.prefix)
    try {
      await link.check()
    } catch (error) {
      link.close()
      throw error
    }
    return link
  }
}

/** Slots as the first node knows them that responds. */
async function findSlots(nodes: readonly RedisAddress[], login: ServerLogin): Promise<SlotRange[]> {
  const reasons: string[] = []
  for (const node of nodes) {
    try {
      return await askNode(node, login)
    } catch (error) {
      reasons.push(`${formatAddress(node.host, node.port)} ${messageOf(error)}`)
    }
  }
  throw new Error(`no node of the cluster responds: ${[...new Set(reasons)].join('; ')}`)
}

async function askNode(node: RedisAddress, login: ServerLogin): Promise<SlotRange[]> {
  const options = { ...login, socket: socketTo(node, login.isTls) }
  const client = await connectClient(options, { version: 2 }, { onLost: () => {} })
  try {
    return readSlots(await client.call(['CLUSTER', 'SLOTS']), node.host)
  } finally {
    client.close()
  }
}

/** A link to each node, by its address; none if one of them fails. The first that is lost ends all. */
async function openAll(
  nodes: readonly RedisAddress[],
  login: ServerLogin,
  events: LinkEvents,
): Promise<Map<string, RedisLink>> {
  const opening = nodes.map(async node => {
    const address = formatAddress(node.host, node.port)
    try {
      const onLost = (reason: string) => events.onLost(`${address}: ${reason}`)
      const { link } = await openAnyServer(socketTo(node, login.isTls), login, { ...events, onLost })
      return [address, link] as const
    } catch (error) {
      throw new Error(`${address}: ${messageOf(error)}`)
    }
  })
  try {
    return new Map(await Promise.all(opening))
  } catch (error) {
    for (const one of opening) one.then(([, link]) => link.close()).catch(() => {})
    throw error
  }
}
