import { type LocalServer, serve } from '../../base/adapters/local-server.ts'
import type { AdminOptions, createAdminApp } from './admin-app.ts'
import { type HealthOptions, respondToHealth } from './health-responder.ts'

/** Serves health on a unix socket that nginx's user may open, and nothing else. */
export function serveHealth(path: string, gid: number | undefined, options: HealthOptions): Promise<LocalServer> {
  return serve({ path, mode: 0o660, gid }, (request, response) => {
    if (!respondToHealth(options, request, response)) response.writeHead(404).end()
  })
}

/** Serves the admin API on a unix socket for monohull's own user. The first request loads Express. */
export function serveAdmin(path: string, options: AdminOptions): Promise<LocalServer> {
  let app: ReturnType<typeof createAdminApp> | undefined
  return serve({ path, mode: 0o600, gid: undefined }, async (request, response) => {
    app ??= (await import('./admin-app.ts')).createAdminApp(options)
    app(request, response)
  })
}
