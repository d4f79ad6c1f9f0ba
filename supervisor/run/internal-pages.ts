import { join } from 'node:path'
import type { LocalServer } from '../base/adapters/local-server.ts'
import type { Metric } from '../base/metrics.ts'
import { internalSocketName } from '../routes/model.ts'
import type { Settings } from '../site/settings.ts'
import type { GuardedApp } from './adapters/guarded-admin.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Dependencies of the pages. */
export interface InternalPagesDeps {
  metrics: () => Promise<Metric[]>
  /** Loads the status page with the admin API. */
  statusPage: () => Promise<GuardedApp>
}

/** Server for the pages of monohull itself that routes lead to, on a unix socket for nginx; none without such a route. */
export async function openInternalPages(
  run: Pick<Run, 'settings'>,
  { metrics, statusPage }: InternalPagesDeps,
): Promise<Subject> {
  let server = isNeeded(run.settings()) ? await open(run.settings()) : undefined

  async function open({ config, nginxUser }: Settings): Promise<LocalServer> {
    const { serve } = await import('../base/adapters/local-server.ts')
    const path = join(config.run_dir, internalSocketName)
    return serve({ path, mode: 0o660, gid: nginxUser?.gid }, async (request, response) => {
      if (request.url?.split('?')[0] !== '/metrics') return (await statusPage())(request, response)
      const { respondWithMetrics } = await import('./adapters/metrics-responder.ts')
      await respondWithMetrics(metrics, request, response)
    })
  }

  return {
    name: 'internal pages',
    async prepare(next) {
      const opened = isNeeded(next) && !server ? await open(next) : undefined
      return {
        revert: () => opened?.close(),
        async commit() {
          const former = server
          server = isNeeded(next) ? (opened ?? former) : undefined
          if (former && !server) await former.close()
        },
      }
    },
    close: () => server?.close(),
  }
}

function isNeeded({ config: { routes } }: Settings): boolean {
  return routes.some(({ target }) => target.kind === 'internal')
}
