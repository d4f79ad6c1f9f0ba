import type { RequestListener } from 'node:http'
import { listenOnTcp, type TcpServer } from '../../base/adapters/tcp-server.ts'

/** Listens on a TCP port for the status page and the admin API. The first request loads the app. Throws an OperatorError if it cannot listen. */
export function listenForAdmin(
  { bind, port }: { bind: string; port: number },
  load: () => Promise<RequestListener>,
): Promise<TcpServer> {
  let app: Promise<RequestListener> | undefined
  return listenOnTcp({ key: 'admin', bind, port }, async (request, response) => {
    app ??= load()
    const handle = await app
    handle(request, response)
  })
}
