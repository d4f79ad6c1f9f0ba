import { gauge } from '../base/metrics.ts'
import type { RenderedNginx } from '../nginx/complaint.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { Nginx } from '../nginx/service.ts'
import { modelNginx, type RunningModel } from '../site/compose.ts'
import { renderConfiguration } from '../site/render.ts'
import type { Settings } from '../site/settings.ts'
import { shutdownTimeoutSeconds } from '../site/shutdown.ts'
import type { Proposal, Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Share of a quick stop that nginx may take before it is killed; workers that end before it would cause errors. */
const quickShare = 0.5
/** Time left below which clients are not told that nginx stops. */
const handoverMs = 5000

/** nginx as a subject that serves the run. */
export interface RunningNginx
  extends Subject,
    Pick<Nginx, 'recordFiles' | 'retireOrphans' | 'reopenLogs' | 'isStarted' | 'pid' | 'oldWorkers'> {
  start(): Promise<void>
  /** Tests a proposal without side effects. Throws an OperatorError if nginx rejects it. */
  check(proposal: Proposal): Promise<void>
  /**
   * Reloads nginx with a proposal and puts it in force in the same turn, so that every later update is based on it. If it
   * rejects, nothing has changed. Settles when everything that the proposal replaces has ended.
   */
  take(proposal: Proposal): Promise<void>
  /** Updates nginx with the current state of the subjects. */
  follow(): Promise<void>
}

/** What nginx is given for the settings and what runs. */
export interface Rendering {
  configuration(settings: Settings, running: RunningModel): RenderedNginx
  /** Time for open requests when nginx stops, in ms. */
  requestsMs(settings: Settings, running: RunningModel): number
}

/** Rendering for an nginx with these features. */
export function renderingOf(features: NginxFeatures): Rendering {
  return {
    configuration: (settings, running) => renderConfiguration(modelNginx(settings, features, running)),
    requestsMs(settings, running) {
      const { routes, dynamicRoutes } = modelNginx(settings, features, running)
      const graces = settings.apps.map(({ config: { graceful_timeout } }) => graceful_timeout)
      return shutdownTimeoutSeconds({ routes, dynamicRoutes, graces }) * 1000
    },
  }
}

/** nginx, rendered from the run and supervised by `nginx`. */
export function createRunningNginx(
  run: Pick<Run, 'settings' | 'model' | 'adopt'>,
  nginx: Nginx,
  rendering: Rendering,
): RunningNginx {
  const render = (proposal?: Proposal) =>
    rendering.configuration(proposal?.settings ?? run.settings(), run.model(proposal))

  return {
    name: 'nginx',
    recordFiles: nginx.recordFiles,
    retireOrphans: nginx.retireOrphans,
    reopenLogs: nginx.reopenLogs,
    isStarted: nginx.isStarted,
    pid: nginx.pid,
    oldWorkers: nginx.oldWorkers,
    start: () => nginx.start(render()),
    check: proposal => nginx.check(() => render(proposal)),
    async take(proposal) {
      let adopted = Promise.resolve()
      await nginx.apply(
        () => render(proposal),
        () => {
          adopted = run.adopt(proposal)
        },
      )
      await adopted
    },
    follow: () => nginx.follow(() => render()),
    failing: () => (nginx.isAlive() ? undefined : 'nginx is not running'),
    status: () => ({ oldNginxWorkers: nginx.oldWorkers() }),
    metrics: () => [
      gauge('nginx_old_workers', 'nginx workers that finish requests after a reload', nginx.oldWorkers()),
    ],
    stop({ mode, leftMs }) {
      if (mode === 'quick') return nginx.stop('fast', leftMs() * quickShare)
      const settings = run.settings()
      // whoever sets a delay has others that serve
      const how = settings.config.stop_delay > 0 && leftMs() >= handoverMs ? 'handover' : 'graceful'
      return nginx.stop(how, leftMs(), rendering.requestsMs(settings, run.model()))
    },
  }
}
