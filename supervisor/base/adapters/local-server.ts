import { chmodSync, chownSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'

/** The kernel limits it to net.core.somaxconn. If the queue is full, connecting fails at once. */
const backlog = 4096

/** HTTP server on a unix socket. */
export interface LocalServer {
  close(): Promise<void>
}

/** Serves HTTP on a unix socket and replaces a leftover one. */
export function serve(
  socket: { path: string; mode: number; gid: number | undefined; maxConnections?: number },
  listener: RequestListener,
): Promise<LocalServer> {
  rmSync(socket.path, { force: true })
  const server: Server = createServer(listener)
  if (socket.maxConnections !== undefined) server.maxConnections = socket.maxConnections
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: socket.path, backlog }, () => {
      chmodSync(socket.path, socket.mode)
      if (socket.gid !== undefined) chownSync(socket.path, process.getuid?.() ?? 0, socket.gid)
      resolve({
        close: () =>
          new Promise(done => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}
