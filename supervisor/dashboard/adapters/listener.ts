import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { formatAddress } from '../../base/address.ts'
import { errnoOf, messageOf, OperatorError } from '../../base/errors.ts'

const mostConnections = 512
/** Time for a request to arrive, in ms. */
const requestMs = 30_000

/** Listener for the status page and the admin API. */
export interface AdminListener {
  /** `127.0.0.1:9114` */
  address: string
  close(): Promise<void>
}

/** Listens on a TCP port. The first request loads the app. Throws an OperatorError if it cannot listen. */
export function listenForAdmin(
  { bind, port }: { bind: string; port: number },
  load: () => Promise<Express>,
): Promise<AdminListener> {
  let app: Promise<Express> | undefined
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, async (request, response) => {
    app ??= load()
    const handle = await app
    handle(request, response)
  })
  server.maxConnections = mostConnections
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const isTaken = errnoOf(error) === 'EADDRINUSE'
      const reason = isTaken ? 'another program listens there' : messageOf(error)
      reject(
        new OperatorError(`cannot listen on admin.port ${formatAddress(bind, port)}: ${reason}`, {
          fix: isTaken ? 'stop that program, or set another admin.port' : 'fix admin.bind and admin.port',
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
