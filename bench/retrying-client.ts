import { connect, type Socket } from 'node:net'

/**
 * A client that does what RFC 9112 §9.3.1 lets clients do, and browsers and proxies do: a GET whose connection was closed
 * before any byte of its answer, where that connection had been used before, is sent once more over a new connection. A
 * server that closes an idle connection cannot know that a request is on its way. wrk counts that as a read error.
 */
export interface ClientResult {
  /** Answered with 2xx. */
  requests: number
  /** Sent a second time, and counted once. */
  retried: number
  /** Failed requests by what the client saw. */
  failures: Record<string, number>
}

export interface ClientOptions {
  port: number
  connections: number
  seconds: number
}

const answerTimeoutMs = 10_000

export async function loadWithRetries({ port, connections, seconds }: ClientOptions): Promise<ClientResult> {
  const result: ClientResult = { requests: 0, retried: 0, failures: {} }
  const deadline = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: connections }, async () => {
      let connection: Connection | undefined
      while (performance.now() < deadline) {
        let outcome: Outcome = { kind: 'closed early' }
        for (let attempt = 1; attempt <= 2; attempt++) {
          const isReused = connection !== undefined
          connection ??= openConnection(port)
          outcome = await connection.get()
          if (outcome.kind !== 'answered' || outcome.closes) connection = undefined
          if (outcome.kind !== 'closed early' || !isReused || attempt === 2) break
          result.retried++
        }
        if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) result.requests++
        else {
          const name = outcome.kind === 'answered' ? String(outcome.status) : outcome.kind
          result.failures[name] = (result.failures[name] ?? 0) + 1
        }
      }
      connection?.close()
    }),
  )
  return result
}

type Outcome =
  | { kind: 'answered'; status: number; closes: boolean }
  /** No byte of the answer came. */
  | { kind: 'closed early' }
  | { kind: 'cut off' | 'timed out' | 'refused' | 'not understood' }

interface Connection {
  get(): Promise<Outcome>
  close(): void
}

function openConnection(port: number): Connection {
  const socket: Socket = connect(port, '127.0.0.1').setNoDelay().setTimeout(answerTimeoutMs)
  let received = ''
  let isConnected = false
  let settle: ((outcome: Outcome) => void) | undefined

  const finish = (outcome: Outcome) => {
    settle?.(outcome)
    settle = undefined
    received = ''
    if (outcome.kind !== 'answered' || outcome.closes) socket.destroy()
  }
  socket.setEncoding('latin1')
  socket.once('connect', () => {
    isConnected = true
  })
  socket.on('data', (text: string) => {
    received += text
    const outcome = parseAnswer(received)
    if (outcome) finish(outcome)
  })
  const onClose = () => {
    if (!isConnected) finish({ kind: 'refused' })
    else finish({ kind: received === '' ? 'closed early' : 'cut off' })
  }
  socket.once('end', onClose)
  socket.once('error', onClose)
  socket.once('close', onClose)
  socket.once('timeout', () => finish({ kind: 'timed out' }))
  return {
    get() {
      return new Promise(resolve => {
        // closed while nothing was asked
        if (socket.destroyed || socket.readableEnded) return resolve({ kind: 'closed early' })
        settle = resolve
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      })
    },
    close: () => socket.destroy(),
  }
}

/** The whole answer, or undefined while more of it is to come. Only answers with a Content-Length are understood. */
function parseAnswer(text: string): Outcome | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
  if (Number.isNaN(status) || Number.isNaN(length)) return { kind: 'not understood' }
  if (text.length < end + 4 + length) return undefined
  return { kind: 'answered', status, closes: /^connection: *close/im.test(head) }
}
