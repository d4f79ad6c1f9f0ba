import type { RequestListener } from 'node:http'
import type { Run } from '../run.ts'
import type { AdminOptions } from './admin-app.ts'

/** The status page and the admin API behind their guard. */
export type GuardedApp = RequestListener

/** Loads the status page and the admin API with a guard, for a port, or for a route whose own guard nginx has. */
export async function loadGuardedAdmin(
  run: Pick<Run, 'settings'>,
  options: AdminOptions,
  way: 'port' | 'route',
): Promise<GuardedApp> {
  const { createGuardedApp } = await import('../../dashboard/adapters/guarded-app.ts')
  const { createAdminApp } = await import('./admin-app.ts')
  return createGuardedApp({
    ...options.page,
    access: () => ({ ...run.settings().config.admin, isBehindRoute: way === 'route' }),
    api: createAdminApp(options),
  })
}
