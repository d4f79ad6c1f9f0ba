import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatAddress } from '../address.ts'
import { errnoOf, messageOf, OperatorError } from '../errors.ts'

const mostConnections = 512
/** Time for a request to arrive, in ms. */
const requestMs = 30_000

/** HTTP server on a TCP port for operators. */
export interface TcpServer {
  /** `127.0.0.1:9114` */
  address: string
  close(): Promise<void>
}

/** Listens on a TCP port. Throws an OperatorError that names the keys `KEY.port` and `KEY.bind` if it cannot. */
export function listenOnTcp(
  { key, bind, port }: { key: string; bind: string; port: number },
  listener?: RequestListener,
): Promise<TcpServer> {
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, listener)
  server.maxConnections = mostConnections
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const isTaken = errnoOf(error) === 'EADDRINUSE'
      const reason = isTaken ? 'another program listens there' : messageOf(error)
      reject(
        new OperatorError(`cannot listen on ${key}.port ${formatAddress(bind, port)}: ${reason}`, {
          fix: isTaken ? `stop that program, or set another ${key}.port` : `fix ${key}.bind and ${key}.port`,
          cause: error,
        }),
      )
    })
    server.listen({ host: bind, port }, () => {
      const { address, port: bound } = server.address() as AddressInfo
      resolve({
        address: formatAddress(address, bound),
        close: () =>
          new Promise(done => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}
