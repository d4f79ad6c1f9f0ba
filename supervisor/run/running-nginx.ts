import { quickStopMs } from '../base/stopping.ts'
import type { RenderedNginx } from '../nginx/complaint.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { Nginx } from '../nginx/service.ts'
import { modelNginx } from '../site/compose.ts'
import { renderConfiguration } from '../site/render.ts'
import type { Proposal, Run } from './run.ts'
import type { Subject } from './subject.ts'

/** nginx, which is told what the run is. */
export interface RunningNginx
  extends Subject,
    Pick<Nginx, 'recordFiles' | 'retireOrphans' | 'reopenLogs' | 'isStarted'> {
  start(): Promise<void>
  /** Tests what is proposed without a trace; an OperatorError when nginx refuses it. */
  check(proposal: Proposal): Promise<void>
  /**
   * Has nginx take what is proposed, and puts it in force in the same turn: whatever tells nginx something next tells it of
   * the new. Rejects when nothing has changed. Settles when what is replaced has ended.
   */
  take(proposal: Proposal): Promise<void>
  /** Tells nginx what the subjects are now. */
  follow(): Promise<void>
}

export function createRunningNginx(run: Run, nginx: Nginx, features: NginxFeatures): RunningNginx {
  function render(proposal?: Proposal): RenderedNginx {
    return renderConfiguration(modelNginx(proposal?.settings ?? run.settings(), features, run.model(proposal)))
  }

  return {
    name: 'nginx',
    recordFiles: nginx.recordFiles,
    retireOrphans: nginx.retireOrphans,
    reopenLogs: nginx.reopenLogs,
    isStarted: nginx.isStarted,
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
    stop: ({ mode, leftMs }) => (mode === 'quick' ? nginx.stop('fast', quickStopMs) : nginx.stop('graceful', leftMs())),
  }
}
