import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Load of handshakes. */
export interface HandshakeLoad {
  port: number
  /** Arguments of `openssl s_time`. */
  words: readonly string[]
  /** Concurrent clients; each opens its next connection when the previous one is done. */
  clients: number
  seconds: number
}

/** Result of a load of handshakes. */
export interface HandshakeRate {
  perSecond: number
  /** Share of the connections that resumed a session. */
  resumed: number
}

/** Opens connections that end after the handshake, or after one response. */
export async function loadHandshakes({ port, words, clients, seconds }: HandshakeLoad): Promise<HandshakeRate> {
  const args = ['s_time', '-connect', `127.0.0.1:${port}`, '-time', String(seconds), ...words]
  const startedAt = performance.now()
  const outputs = await Promise.all(
    Array.from({ length: clients }, () =>
      run('openssl', args, { timeout: (seconds + 30) * 1000, maxBuffer: 64 << 20 }).then(({ stdout }) => stdout),
    ),
  )
  const elapsed = (performance.now() - startedAt) / 1000
  const all = outputs.map(readConnections)
  const total = all.reduce((sum, { connections }) => sum + connections, 0)
  return { perSecond: total / elapsed, resumed: all.reduce((sum, { resumed }) => sum + resumed, 0) / total }
}

/** Counts of `openssl s_time`, which prints a letter for each connection, `r` for a resumed session. */
export function readConnections(text: string): { connections: number; resumed: number } {
  const connections = Number(/^(\d+) connections in \d+ real seconds/m.exec(text)?.[1])
  if (!(connections > 0)) throw new Error(`cannot read what openssl s_time printed: ${text.slice(-300)}`)
  const letters = /^[r*t3]+/m.exec(text)?.[0] ?? ''
  return { connections, resumed: letters.split('r').length - 1 }
}
