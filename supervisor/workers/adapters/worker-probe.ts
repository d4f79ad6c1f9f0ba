import type { Protocol } from '../../nginx/protocol.ts'
import type { WorkerProbe } from '../readiness.ts'
import { httpProbe, probe } from './http-probe.ts'

/** Empty SETTINGS of a client (RFC 9113, 3.4). A server sends its own first. */
const grpcHello = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
])

/** FCGI_GET_VALUES without a name, which an application responds to by itself. */
const fastcgiHello = Buffer.from('0109000000000000', 'hex')

/** Ping of uWSGI (modifier 100), which it responds to by itself. */
const uwsgiHello = Buffer.from('64000000', 'hex')

const hellos: Record<Exclude<Protocol, 'http'>, Buffer> = {
  fastcgi: fastcgiHello,
  grpc: grpcHello,
  uwsgi: uwsgiHello,
}

/** Probe of a worker in its protocol, without a request to the app. A program that ends the connection has accepted it. */
export const workerProbe: WorkerProbe = {
  async responds(address, timeoutMs, protocol = 'http') {
    if (protocol === 'http') return httpProbe.responds(address, timeoutMs)
    const result = await probe(address, hellos[protocol], timeoutMs)
    return result === 'response' || result === 'end'
  },
  async respondsToGet(address, { path, protocol = 'http' }, timeoutMs) {
    if (protocol === 'http') return httpProbe.respondsToGet(address, path ?? '/', timeoutMs)
    return (await probe(address, hellos[protocol], timeoutMs)) !== 'silence'
  },
}
