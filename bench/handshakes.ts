import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface HandshakeLoad {
  port: number
  /** Of `openssl s_time`. */
  words: readonly string[]
  /** Clients at the same time; each begins a connection when the one before is done. */
  clients: number
  seconds: number
}

export interface HandshakeRate {
  perSecond: number
  /** Part of the connections that took up a session. */
  resumed: number
}

/** Makes connections that end with the handshake, or with one answer. */
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

/** It prints a letter for each connection, `r` for one that took up a session. */
export function readConnections(text: string): { connections: number; resumed: number } {
  const connections = Number(/^(\d+) connections in \d+ real seconds/m.exec(text)?.[1])
  if (!(connections > 0)) throw new Error(`cannot read what openssl s_time printed: ${text.slice(-300)}`)
  const letters = /^[r*t3]+/m.exec(text)?.[0] ?? ''
  return { connections, resumed: letters.split('r').length - 1 }
}
