import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Protocol } from './protocol.ts'
import { describeSpoken, type Spoken } from './spoken.ts'

/** Server that nginx could not get a response from. */
export interface SuspectServer {
  protocol: Protocol
  host: string
  port: number
}

/** Dependencies of the watch. */
export interface MismatchWatchDeps {
  clock: Pick<Clock, 'monotonic'>
  log: Pick<Log, 'warn'>
  /** Protocol that a server speaks instead of the one that nginx speaks; undefined if it speaks that, or shows none. */
  spokenInstead(suspect: SuspectServer): Promise<Spoken | undefined>
}

/** Time in which a server is asked once. */
const againMs = 300_000
/** Servers that are remembered at most. */
const mostServers = 200

/**
 * Watch for servers of upstreams that speak another protocol than configured where nginx's message does not show it: they close the
 * connection, as a server that crashed does. So they are asked, and only one that responds in another protocol is logged.
 */
export function createMismatchWatch({ clock, log, spokenInstead }: MismatchWatchDeps): (message: string) => void {
  const askedAt = new Map<string, number>()

  async function ask(suspect: SuspectServer, server: string): Promise<void> {
    const spoken = await spokenInstead(suspect)
    if (spoken === undefined) return
    const [what, fix] = describeSpoken(suspect.protocol, spoken, 'upstream')
    log.warn(`a server of an upstream ${what}`, { server, fix })
  }

  return message => {
    const suspect = suspectIn(message)
    if (!suspect) return
    const server = `${suspect.host.includes(':') ? `[${suspect.host}]` : suspect.host}:${suspect.port}`
    const now = clock.monotonic()
    const key = `${suspect.protocol} ${server}`
    if (now - (askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < againMs) return
    if (askedAt.size >= mostServers) askedAt.clear()
    askedAt.set(key, now)
    void ask(suspect, server)
  }
}

const sign =
  /^(upstream prematurely closed connection|recv\(\) failed \(104: Connection reset by peer\)|upstream sent no valid HTTP\/1\.0 header|upstream sent invalid header) .*while reading response header from upstream, /
// what a client sent stands before it
const peer = /^[\s\S]*, upstream: "(http|fastcgi|grpc|uwsgi):\/\/(?:\[([^\]"]+)\]|([^/":[\]]+)):(\d+)/

/** Server of an upstream in a message of nginx, without its head, after which it may speak another protocol. */
export function suspectIn(message: string): SuspectServer | undefined {
  if (!sign.test(message)) return undefined
  const [, protocol, v6, host = v6, port] = peer.exec(message) ?? []
  return host === undefined ? undefined : { protocol: protocol as Protocol, host, port: Number(port) }
}
