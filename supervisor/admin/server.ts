import { chmodSync, chownSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AdminOptions, createAdminApp } from './app.ts'
import { answerHealth, type HealthOptions } from './health.ts'

export interface LocalServer {
  close(): Promise<void>
}

/** Serves health on a unix socket that nginx's user may open, and nothing else. */
export function serveHealth(path: string, gid: number | undefined, options: HealthOptions): Promise<LocalServer> {
  return serve({ path, mode: 0o660, gid }, (request, response) => {
    if (!answerHealth(options, request, response)) response.writeHead(404).end()
  })
}

/** Serves the admin API on a unix socket for monohull's own user. Express is loaded with the first request. */
export function serveAdmin(path: string, options: AdminOptions): Promise<LocalServer> {
  let app: ReturnType<typeof createAdminApp> | undefined
  return serve({ path, mode: 0o600, gid: undefined }, async (request, response) => {
    app ??= (await import('./app.ts')).createAdminApp(options)
    app(request, response)
  })
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
