import { exitCodeOf } from '../processes/exit.ts'
import type { HookPlans } from '../programs/hook.ts'
import type { HookRunner } from '../programs/hook-runner.ts'
import type { WorkerEvent } from '../workers/worker.ts'

/** Event handler that runs the hooks worker_ready and worker_exit. */
export function hookWorkers(hooks: HookRunner, plans: () => HookPlans): (event: WorkerEvent) => void {
  return event => {
    const { worker, pid } = event
    if (event.type === 'ready') hooks.enqueue('worker_ready', plans(), { worker, pid })
    else {
      const facts = { worker, pid, exitCode: exitCodeOf(event.exit), reason: event.reason }
      hooks.enqueue('worker_exit', plans(), facts)
    }
  }
}
