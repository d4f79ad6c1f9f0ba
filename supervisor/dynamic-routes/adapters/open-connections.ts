import { readFileSync } from 'node:fs'

/** States of TCP connections that may carry a request: established, and about to be. */
const openStates = new Set(['01', '02'])

/** TCP connections of this network namespace to some servers, such as `10.0.0.2:5000`. The kernel's tables: proc(5), /proc/net/tcp. */
export function countConnections(servers: readonly string[]): number {
  const wanted = new Set(servers)
  return ['tcp', 'tcp6'].reduce((sum, name) => sum + countIn(readTable(name), wanted), 0)
}

function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1')
  } catch {
    return '' // a kernel without IPv6 has no such table
  }
}

function countIn(table: string, wanted: ReadonlySet<string>): number {
  let count = 0
  for (const line of table.split('\n').slice(1)) {
    const [, , remote = '', state = ''] = line.trim().split(/\s+/)
    if (openStates.has(state) && wanted.has(readAddress(remote))) count++
  }
  return count
}

/** `10.0.0.2:5000` for `0200000A:1388`. The kernel writes words of four bytes as numbers of this machine. */
export function readAddress(text: string): string {
  const [words = '', port = ''] = text.split(':')
  const bytes = (words.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex')].reverse())
  const number = Number.parseInt(port, 16)
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  )
  // the notation in which targets are kept
  return `${new URL(`http://[${groups.join(':')}]`).hostname}:${number}`
}
