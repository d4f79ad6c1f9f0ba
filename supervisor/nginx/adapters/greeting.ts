import net from 'node:net'
import { errnoOf } from '../../base/errors.ts'
import type { Protocol } from '../protocol.ts'
import { fits, type Spoken, spokenIn } from '../spoken.ts'

/** Response to a greeting. `end`: the connection was closed without one. `unsent`: this process had no descriptor for it, which says nothing about the server. */
export interface Greeted {
  result: 'response' | 'end' | 'silence' | 'unsent'
  /** First bytes of a response. */
  bytes: Buffer
}

/** Head of a request to a server that is not for one of its pages (RFC 9110, 9.3.7), or for this path. */
export function httpHead(request = 'OPTIONS *'): Buffer {
  return Buffer.from(`${request} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: monohull\r\nConnection: close\r\n\r\n`)
}

/** First bytes of a client in each protocol, to which a server responds without a request to its app. */
export const greetings: Record<Protocol, Buffer> = {
  http: httpHead(),
  // FCGI_GET_VALUES without a name
  fastcgi: Buffer.from('0109000000000000', 'hex'),
  // empty SETTINGS of a client (RFC 9113, 3.4); a server sends its own first
  grpc: Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from('000000040000000000', 'hex')]),
  // ping (modifier 100)
  uwsgi: Buffer.from('64000000', 'hex'),
}

/** ClientHello of TLS 1.2 without extensions. A server of TLS sends its hello, or an alert. */
const clientHello = Buffer.concat([
  Buffer.from('16030100330100002f0303', 'hex'),
  Buffer.alloc(32, 7),
  Buffer.from('000008c02fc02b009c002f0100', 'hex'),
])

/** Sends the bytes, and waits for the first ones of a response. */
export function greet(to: net.NetConnectOpts, bytes: Buffer, timeoutMs: number): Promise<Greeted> {
  return new Promise(resolve => {
    const socket = net.connect(to)
    const finish = (result: Greeted['result'], received = Buffer.alloc(0)) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ result, bytes: received })
    }
    const timer = setTimeout(finish, timeoutMs, 'silence' as const)
    socket.once('connect', () => socket.write(bytes))
    socket.once('data', received => finish('response', received))
    socket.once('end', () => finish('end'))
    socket.once('close', () => finish('silence'))
    socket.once('error', error => finish(errnoOf(error) === 'EMFILE' ? 'unsent' : 'silence'))
  })
}

/** Protocol that a server speaks instead of the given one; undefined if it speaks that, or shows none. */
export async function spokenInstead(
  to: net.NetConnectOpts,
  protocol: Protocol,
  timeoutMs: number,
): Promise<Spoken | undefined> {
  const others = Object.values(greetings).filter(bytes => bytes !== greetings[protocol])
  for (const bytes of [greetings[protocol], clientHello, ...others]) {
    const spoken = spokenIn((await greet(to, bytes, timeoutMs)).bytes)
    if (spoken !== undefined) return fits(protocol, spoken) ? undefined : spoken
  }
  return undefined
}
