import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Method of a request. */
export type Method = 'GET' | 'POST'

/** Outcome of a request on one connection. */
export type Outcome =
  | { kind: 'complete'; status: number; body: string; closes: boolean }
  /** The connection ended, by FIN or RST, before any byte of the response. */
  | { kind: 'reset' }
  /** The connection ended within the response. */
  | { kind: 'cut off' }
  | { kind: 'refused' | 'timed out' | 'not understood' }

/** Keep-alive connection for one request at a time. */
export interface Connection {
  send(method: Method): Promise<Outcome>
  close(): void
}

/** Size of a POST's body. */
export const bodyBytes = 16 * 1024

/** Body of the app's response. */
export const expectedBody: Record<Method, string> = { GET: 'hello\n', POST: `${bodyBytes}\n` }

const responseTimeoutMs = 10_000
const head = 'HTTP/1.1\r\nHost: localhost\r\n'
const texts: Record<Method, string> = {
  GET: `GET / ${head}\r\n`,
  POST: `POST / ${head}Content-Type: text/plain\r\nContent-Length: ${bodyBytes}\r\n\r\n${'x'.repeat(bodyBytes)}`,
}

/** Connects to a port of 127.0.0.1; over TLS it accepts any certificate. */
export function openConnection(port: number, isTls = false): Connection {
  const plain = { port, host: '127.0.0.1' }
  const opened = isTls ? connectTls({ ...plain, rejectUnauthorized: false }) : connect(plain)
  const socket = opened.setNoDelay().setTimeout(responseTimeoutMs)
  let received = ''
  let isConnected = false
  let settle: ((outcome: Outcome) => void) | undefined

  const finish = (outcome: Outcome) => {
    settle?.(outcome)
    settle = undefined
    received = ''
    if (outcome.kind !== 'complete' || outcome.closes) socket.destroy()
  }
  const onClose = () => {
    if (!isConnected) finish({ kind: 'refused' })
    else finish({ kind: received === '' ? 'reset' : 'cut off' })
  }
  socket.setEncoding('latin1')
  socket.once('connect', () => {
    isConnected = true
  })
  socket.on('data', (text: string) => {
    received += text
    const outcome = parseResponse(received)
    if (outcome) finish(outcome)
  })
  for (const event of ['end', 'error', 'close']) socket.once(event, onClose)
  socket.once('timeout', () => finish({ kind: 'timed out' }))
  return {
    send(method) {
      return new Promise(resolve => {
        // closed while idle
        if (socket.destroyed || socket.readableEnded) return resolve({ kind: 'reset' })
        settle = resolve
        socket.write(texts[method], 'latin1')
      })
    },
    close: () => socket.destroy(),
  }
}

/** Outcome of a complete response; undefined while it is incomplete. Only responses with a Content-Length are supported. */
function parseResponse(text: string): Outcome | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const fields = text.slice(0, end)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(fields)?.[1])
  const length = Number(/^content-length: *(\d+)/im.exec(fields)?.[1])
  if (Number.isNaN(status) || Number.isNaN(length)) return { kind: 'not understood' }
  if (text.length < end + 4 + length) return undefined
  const body = text.slice(end + 4)
  return { kind: 'complete', status, body, closes: /^connection: *close/im.test(fields) }
}
