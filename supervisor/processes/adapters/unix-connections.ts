import { readFileSync } from 'node:fs'

/** Sockets that are connected, or wait to be accepted: states of enum socket_state, as /proc/net/unix has them (proc_net_unix(5)). */
const connected = new Set(['02', '03'])

/** Number of connections to the unix sockets whose path matches; undefined if the kernel does not list them. */
export function countConnections(isMeant: (path: string) => boolean): number | undefined {
  let text: string
  try {
    text = readFileSync('/proc/net/unix', 'utf8')
  } catch {
    return undefined // a sandbox without it
  }
  return countIn(text, isMeant)
}

/** The same for the text of /proc/net/unix. Both ends of a connection are listed, and only that of the server has a path. */
export function countIn(text: string, isMeant: (path: string) => boolean): number {
  return text.split('\n').filter(line => {
    const [, state = '', path] = /^(?:\S+ ){5}(\S+) +\d+ (.+)$/.exec(line) ?? []
    return connected.has(state) && path !== undefined && isMeant(path)
  }).length
}
