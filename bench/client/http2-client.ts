import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { setTimeout as pause } from 'node:timers/promises'
import { expectedBody } from './connection.ts'

/** Counts of an HTTP/2 client. */
export interface Http2Tally {
  requests: number
  /** Failed requests by kind of failure. */
  failures: Record<string, number>
  /** Requests that the server did not process, as its GOAWAY said, and that were sent again. */
  retried: number
}

/** Load of GETs over HTTP/2. A connection that got a GOAWAY is replaced. As browsers do, it repeats once what the server did not process (RFC 9113 §8.7). */
export interface Http2Client {
  /** Requests that have ended, successfully or not. */
  completed(): number
  /** Sends no more requests; settles when the last response has arrived. */
  stop(): Promise<Http2Tally>
}

/** Options of the client. */
export interface Http2ClientOptions {
  port: number
  connections: number
  /** Requests at the same time on each connection. */
  streams: number
}

const timeoutMs = 10_000
const failurePauseMs = 10
const { HTTP2_HEADER_STATUS, NGHTTP2_REFUSED_STREAM } = constants

/** Starts the load. */
export function startHttp2Client({ port, connections, streams }: Http2ClientOptions): Http2Client {
  const tally: Http2Tally = { requests: 0, failures: {}, retried: 0 }
  let isStopped = false

  async function sendRepeatedly(session: () => ClientHttp2Session): Promise<void> {
    while (!isStopped) {
      let outcome = await get(session())
      if (outcome === 'refused') {
        tally.retried++
        await pause(0) // until the session is known to have ended
        outcome = await get(session())
      }
      tally.requests++
      if (outcome === 'complete') continue
      tally.failures[outcome] = (tally.failures[outcome] ?? 0) + 1
      await pause(failurePauseMs)
    }
  }

  const all = Array.from({ length: connections }, () => {
    const { present, close } = renewedSession(port)
    return Promise.all(Array.from({ length: streams }, () => sendRepeatedly(present))).finally(close)
  })
  return {
    completed: () => tally.requests,
    async stop() {
      isStopped = true
      await Promise.all(all)
      return tally
    },
  }
}

/** Session, which is another one after a GOAWAY or an error. */
function renewedSession(port: number) {
  let session: ClientHttp2Session | undefined
  const open = () => {
    const opened = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const forget = () => {
      if (session === opened) session = undefined
    }
    opened.once('goaway', forget).once('close', forget).on('error', forget)
    return opened
  }
  return {
    present() {
      session ??= open()
      return session
    },
    close: () => session?.close(),
  }
}

/** How a GET ended. */
function get(session: ClientHttp2Session): Promise<string> {
  let stream: ClientHttp2Stream
  try {
    stream = session.request({ ':path': '/' })
  } catch (error) {
    return Promise.resolve((error as NodeJS.ErrnoException).code ?? 'error')
  }
  return new Promise(resolve => {
    let status: unknown
    let body = ''
    stream.setEncoding('latin1').setTimeout(timeoutMs, () => stream.close())
    stream.once('response', headers => {
      status = headers[HTTP2_HEADER_STATUS]
    })
    stream.on('data', (text: string) => {
      body += text
    })
    stream.on('error', () => {})
    stream.once('close', () => {
      if (stream.rstCode === NGHTTP2_REFUSED_STREAM) resolve('refused')
      else if (status === 200 && body === expectedBody.GET) resolve('complete')
      else resolve(status === undefined ? 'no response' : status === 200 ? 'cut off' : String(status))
    })
  })
}
