import { chmodSync, chownSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'

export interface LocalServer {
  close(): Promise<void>
}

/** Serves on a unix socket, in place of a leftover. */
export function serve(
  socket: { path: string; mode: number; gid: number | undefined; mostConnections?: number },
  listener: RequestListener,
): Promise<LocalServer> {
  rmSync(socket.path, { force: true })
  const server: Server = createServer(listener)
  if (socket.mostConnections !== undefined) server.maxConnections = socket.mostConnections
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket.path, () => {
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
