import { backoffMs } from '../base/backoff.ts'
import { formatDuration } from '../base/duration.ts'
import { exitCode, reasonOf } from '../base/errors.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import type { Death } from '../processes/death.ts'
import { describeExit, type Exit, exitCodeOf } from '../processes/exit.ts'
import { type RestartCounts, tellingLine } from '../processes/last-death.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import type { StopCause } from '../processes/process-state.ts'
import { blameFor, type SlotEffect, type SlotEvent, type SlotState, stepSlot } from '../processes/slot-state.ts'
import type { Progress } from '../processes/start-order.ts'
import { describeCheck } from './check.ts'
import { createChecks, type SocketProbe } from './checks.ts'
import { createInstanceWatch, type InstanceWatch } from './instance-watch.ts'
import type { ProcessPlan } from './plan.ts'
import type { ProcessStatus } from './status.ts'

const refused: Exit = { kind: 'code', code: exitCode.software }
/** Uptime after which a process counts as running; it has no socket that shows readiness. */
const runningAfterMs = 500

/** A background process and its successors, of which at most one runs at a time. */
export interface BackgroundProcess {
  readonly number: number
  start(): void
  /** Stops the running process, then starts one from `plan`. Resolves when the new one runs or has ended. */
  replace(plan: ProcessPlan): Promise<RollResult>
  /** Applies a plan with the same program: what runs goes on. */
  adopt(plan: ProcessPlan): void
  /** Whether it has failed and waits to be tried again. */
  isDown(): boolean
  /** How far it is, for those that come after it. */
  progress(): Progress
  /** Stops the process, with SIGKILL after `graceMs`, and starts no other. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
  status(): ProcessStatus
}

/** Dependencies of a background process. */
export interface BackgroundProcessDeps extends ProcessRuntime {
  oomWatch: OomWatch
  /** Called when a process ended by itself. Returns whether that ends the run, so that no other is started. */
  onDeath: (death: Death) => boolean
  /** For the checks of `ready` and `health`. */
  probe: SocketProbe
  /** Called when `progress` may have changed. */
  onProgress: () => void
}

/** End of a process. Without a pid, the system has refused to start it. */
interface ProcessEnd {
  exit: Exit
  cause?: StopCause | undefined
  lastLines: string[]
  pid?: number
  uptimeMs?: number
  reason?: string | undefined
}

/** Background process `number` of its name, not started yet. */
export function createBackgroundProcess(
  deps: BackgroundProcessDeps,
  number: number,
  initialPlan: ProcessPlan,
): BackgroundProcess {
  const { clock, log } = deps
  const name = `${initialPlan.name}.${number}`
  let plan = initialPlan
  let state: SlotState = { name: 'idle' }
  let running: { managed: ManagedProcess; recorded: Promise<void>; watch: InstanceWatch } | undefined
  let isStopping = false
  /** How it has ended, if its plan says to leave it at that. */
  let finished: 'well' | 'badly' | undefined
  let failedChecks = 0
  const counts: RestartCounts = { restarts: 0, crashes: 0, replacements: 0 }
  let cancelTimer = () => {}
  let settleReplacement: ((result: RollResult) => void) | undefined

  // nginx does not know the process, so there is nothing to withdraw
  const decide = (event: SlotEvent) =>
    stepSlot(state, event, {
      minUptimeMs: plan.minUptimeMs,
      withdrawAfter: Number.POSITIVE_INFINITY,
      afterFailure: 'retry',
    })

  function dispatch(event: SlotEvent): void {
    const step = decide(event)
    state = step.state
    for (const effect of step.effects) perform(effect)
    deps.onProgress()
  }

  function perform(effect: SlotEffect): void {
    if (effect.type === 'spawn') start(effect.worker)
    if (effect.type === 'readied') settleReplacement?.({ ok: true })
    if (effect.type === 'retry') {
      const delayMs = backoffMs(effect.failures, plan.backoff, deps.random())
      cancelTimer = clock.after(delayMs, () => dispatch({ type: 'retryDue' }))
    }
  }

  function start(worker: number): void {
    finished = undefined
    if (worker > 1 || counts.replacements > 0) counts.restarts++
    const { env, ready, health, ...spec } = plan
    const program = { ...spec, name, env: env(number) }
    let unhealthy: string | undefined
    const watch = createInstanceWatch({
      clock,
      log,
      name,
      checks: createChecks(deps, program),
      onReady() {
        log.info('process ready', { process: name })
        managed?.markReady()
        becameReady()
      },
      onUnhealthy(reason) {
        unhealthy = reason
        managed?.endHung('stop')
      },
      onFailedCheck() {
        failedChecks++
      },
    })
    const becameReady = () => {
      dispatch({ type: 'becameReady', worker, at: clock.monotonic() })
      watch.watchHealth(plan.health)
    }
    let managed: ManagedProcess | undefined
    try {
      const onLines = ready?.check.kind === 'line' ? watch.printed : undefined
      const child = deps.spawn({ ...program, inherit: [], output: 'relay', onLines, notify: false })
      log.info('process started', { process: name, pid: child.pid })
      managed = manageProcess({
        child,
        clock,
        policy: {
          stopSignal: plan.stopSignal,
          bootTimeoutMs: ready?.timeoutMs ?? runningAfterMs,
          graceMs: plan.gracefulTimeoutMs,
          endsGroup: true,
        },
        onReady: () => {},
      })
      const reasonFor = (cause: StopCause | undefined) => {
        if (cause === 'hung') return unhealthy
        if (cause !== 'boot timeout' || !ready) return undefined
        const problem = watch.lastProblem()
        return `not ready within ${formatDuration(ready.timeoutMs)}: ${describeCheck(ready.check)}${problem === undefined ? '' : `: ${problem}`}`
      }
      running = { managed, watch, recorded: recordExit(worker, managed, { watch, reasonFor }) }
      if (ready) watch.awaitReady(ready)
      else {
        managed.markReady()
        cancelTimer = clock.after(runningAfterMs, becameReady)
      }
    } catch (error) {
      cancelTimer = clock.after(0, () => died(worker, { exit: refused, lastLines: [], reason: reasonOf(error) }))
    }
  }

  async function recordExit(
    worker: number,
    { child, ended }: ManagedProcess,
    { watch, reasonFor }: { watch: InstanceWatch; reasonFor: (cause: StopCause | undefined) => string | undefined },
  ): Promise<void> {
    const { exit: ending, cause, uptimeMs } = await ended
    const exit = cause === undefined ? deps.oomWatch.judge(ending) : ending
    await Promise.all([watch.end(), child.outputEnded()])
    running = undefined
    if (cause === 'requested') log.info('process stopped', { process: name, pid: child.pid, exit: describeExit(exit) })
    else died(worker, { exit, cause, lastLines: child.lastLines(), pid: child.pid, uptimeMs, reason: reasonFor(cause) })
  }

  /** Logs an end and acts on it. */
  function died(worker: number, end: ProcessEnd): void {
    cancelTimer()
    if (isStopping) return
    const { exit, cause, lastLines } = end
    const wasReady = state.name === 'serving'
    // a start that the system refused is tried again in any case
    const isFinal = end.pid !== undefined && isLast(end)
    const facts = { process: name, pid: end.pid, exit: describeExit(exit) }
    if (isFinal && cause === undefined && exitCodeOf(exit) === 0 && (wasReady || !plan.ready)) {
      finish('well')
      log.info('process finished', { ...facts, uptime_ms: end.uptimeMs })
      settleReplacement?.({ ok: true })
      return
    }
    const blame = blameFor(exit, cause)
    const step = isFinal ? undefined : decide({ type: 'ended', worker, blame, at: clock.monotonic() })
    const decided = step?.effects.find(effect => effect.type === 'decided')?.decision ?? 'not restarted'
    const servedMs = wasReady ? (end.uptimeMs ?? 0) : 0
    const wasKilledOutside = blame === 'outside'
    // the code of a process that was stopped for a failure would say that it had ended well
    const failure: Exit = cause === undefined ? exit : { kind: 'code', code: exitCode.failed }
    const endsRun =
      settleReplacement === undefined &&
      deps.onDeath({ worker: name, exit: failure, wasReady, servedMs, wasKilledOutside, lastLines })
    countCrash(end)
    const { reason, uptimeMs: uptime_ms } = end
    const decision = endsRun ? 'everything is stopped' : decided
    log.error('process died', { ...facts, reason, uptime_ms, decision, last_lines: lastLines })
    if (step) state = step.state
    else finish('badly')
    deps.onProgress()
    if (endsRun) return
    for (const effect of step?.effects ?? []) perform(effect)
    settleReplacement?.({
      ok: false,
      reason: `${name}: ${reason ?? `it ended with ${describeExit(exit)}`}`,
      lastLines,
    })
  }

  function countCrash({ exit, reason, lastLines }: ProcessEnd): void {
    const at = new Date(clock.now()).toISOString()
    counts.crashes++
    counts.lastDeath = { at, exit: describeExit(exit), reason, line: tellingLine(lastLines), requests: [] }
  }

  /** Whether no other is started after an end. */
  function isLast({ exit, cause }: ProcessEnd): boolean {
    const hasFailed = cause !== undefined || exitCodeOf(exit) !== 0
    return plan.restart === 'never' || (plan.restart === 'on_failure' && !hasFailed)
  }

  function finish(how: 'well' | 'badly'): void {
    finished = how
    state = { name: 'idle' }
    deps.onProgress()
  }

  async function stopRunning(graceMs: number): Promise<void> {
    cancelTimer()
    const stopped = running
    state = { name: 'idle' }
    deps.onProgress()
    // one that stops responds to no check
    void stopped?.watch.end()
    stopped?.managed.stop(graceMs)
    await stopped?.recorded
  }

  const isDown = () => state.name === 'waiting' || (state.name === 'booting' && state.failures > 0)

  function shownState(): ProcessStatus['state'] {
    if (state.name === 'serving') return 'running'
    if (state.name !== 'idle') return state.name
    if (running) return 'replacing'
    return finished === 'well' ? 'finished' : finished === 'badly' ? 'failed' : 'idle'
  }

  return {
    number,
    start: () => dispatch({ type: 'started' }),
    async replace(next) {
      await stopRunning(plan.gracefulTimeoutMs)
      if (isStopping) return stopping
      plan = next
      counts.replacements++
      const result = await new Promise<RollResult>(resolve => {
        settleReplacement = resolve
        dispatch({ type: 'started' })
      })
      settleReplacement = undefined
      return result
    },
    adopt(next) {
      plan = next
      if (state.name === 'serving') running?.watch.watchHealth(next.health)
    },
    isDown,
    progress() {
      if (state.name === 'serving' || finished === 'well') return 'ready'
      return isDown() || finished === 'badly' ? 'failed' : 'starting'
    },
    async stop(graceMs) {
      isStopping = true
      settleReplacement?.(stopping)
      await stopRunning(graceMs)
    },
    status: () => ({
      name,
      state: shownState(),
      pid: running?.managed.child.pid,
      uptimeSeconds: running && Math.round((clock.monotonic() - running.managed.state().startedAt) / 1000),
      ...counts,
      health: running?.watch.health(),
      ...(plan.health ? { failedChecks } : {}),
    }),
  }
}
