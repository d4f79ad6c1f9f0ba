import { formatAddress } from '../../../base/address.ts'
import type { LinkEvents, OpenLink, RedisLink } from '../link.ts'
import type { RedisUrl } from '../url.ts'
import { clusterOpener } from './open-cluster.ts'
import { openServer, type ServerLogin, socketTo } from './open-server.ts'
import { createMasterQuestion, type Sentinels } from './sentinels.ts'

/** Store that links are opened to. */
export interface LinkTarget extends ServerLogin, Pick<RedisUrl, 'at'> {}

/** Links to a store: to its server, to the master that Sentinels name, or to all masters of a cluster. */
export function linkOpener(target: LinkTarget): OpenLink {
  const { at, ...login } = target
  if (at.kind === 'cluster') return clusterOpener(at.nodes, login)
  if (at.kind === 'sentinels') return events => openMaster(at, login, events)
  const socket = at.kind === 'socket' ? { path: at.path } : socketTo(at, login.isTls)
  return events => openServer(socket, login, events)
}

/** Link to the master that Sentinels name. Its check fails once they name another: they close connections to the old one much later. */
async function openMaster(at: Sentinels, login: ServerLogin, events: LinkEvents): Promise<RedisLink> {
  const question = createMasterQuestion(at, login.isTls)
  try {
    const master = await question.ask()
    const link = await openServer(socketTo(master, login.isTls), login, events)
    const addressOf = ({ host, port }: typeof master) => formatAddress(host, port)
    let named = addressOf(master)
    let isAsking = false

    async function ask(): Promise<void> {
      if (isAsking) return
      isAsking = true
      try {
        named = addressOf(await question.ask())
      } catch {
        // no reason to give up a master that responds
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
