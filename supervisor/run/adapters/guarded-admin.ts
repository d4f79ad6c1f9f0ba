import type { RequestListener } from 'node:http'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Run } from '../run.ts'
import type { AdminOptions } from './admin-app.ts'

/** The status page and the admin API behind their guard. */
export type GuardedApp = RequestListener

/** Loads the status page and the admin API with a guard, for a port, or for a route whose own guard nginx has. */
export async function loadGuardedAdmin(
  run: Pick<Run, 'settings'>,
  { options, log }: { options: AdminOptions; log: Log },
  way: 'port' | 'route',
): Promise<GuardedApp> {
  try {
    const { createGuardedApp } = await import('../../dashboard/adapters/guarded-app.ts')
    const { createAdminApp } = await import('./admin-app.ts')
    return createGuardedApp({
      ...options.page,
      access: () => ({ ...run.settings().config.admin, isBehindRoute: way === 'route' }),
      api: createAdminApp(options),
    })
  } catch (error) {
    log.error('cannot load the status page', { reason: messageOf(error), fix: 'restart monohull' })
    return (_request, response) => void response.writeHead(500).end()
  }
}
