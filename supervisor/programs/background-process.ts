import { backoffMs } from '../base/backoff.ts'
import { exitCode, reasonOf } from '../base/errors.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import type { Death } from '../processes/death.ts'
import { describeExit, type Exit, exitCodeOf } from '../processes/exit.ts'
import { type RestartCounts, tellingLine } from '../processes/last-death.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { blameFor, type SlotEffect, type SlotEvent, type SlotState, stepSlot } from '../processes/slot-state.ts'
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
  /** Stops the process, with SIGKILL after `graceMs`, and starts no other. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
  status(): ProcessStatus
}

/** Dependencies of a background process. */
export interface BackgroundProcessDeps extends ProcessRuntime {
  oomWatch: OomWatch
  /** Called when a process ended by itself. Returns whether that ends the run, so that no other is started. */
  onDeath: (death: Death) => boolean
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
  let running: { managed: ManagedProcess; recorded: Promise<void> } | undefined
  let isStopping = false
  /** Whether it has ended and its plan says to leave it at that. */
  let isFinished = false
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
    isFinished = false
    if (worker > 1 || counts.replacements > 0) counts.restarts++
    try {
      const { env, ...spec } = plan
      const child = deps.spawn({ ...spec, name, env: env(number), inherit: [], output: 'relay', notify: false })
      log.info('process started', { process: name, pid: child.pid })
      const managed = manageProcess({
        child,
        clock,
        policy: {
          stopSignal: plan.stopSignal,
          bootTimeoutMs: runningAfterMs,
          graceMs: plan.gracefulTimeoutMs,
          endsGroup: true,
        },
        onReady: () => {},
      })
      managed.markReady()
      running = { managed, recorded: recordExit(worker, managed) }
      cancelTimer = clock.after(runningAfterMs, () => dispatch({ type: 'becameReady', worker, at: clock.monotonic() }))
    } catch (error) {
      cancelTimer = clock.after(0, () => died(worker, { exit: refused, lastLines: [], reason: reasonOf(error) }))
    }
  }

  async function recordExit(worker: number, { child, ended }: ManagedProcess): Promise<void> {
    const { exit: ending, cause, uptimeMs } = await ended
    const exit = cause === undefined ? deps.oomWatch.judge(ending) : ending
    await child.outputEnded()
    running = undefined
    if (cause === 'requested') log.info('process stopped', { process: name, pid: child.pid, exit: describeExit(exit) })
    else died(worker, { exit, lastLines: child.lastLines(), pid: child.pid, uptimeMs })
  }

  /** Logs an end and acts on it. */
  function died(
    worker: number,
    end: Pick<Death, 'exit' | 'lastLines'> & { pid?: number; uptimeMs?: number; reason?: string },
  ): void {
    cancelTimer()
    if (isStopping) return
    const { exit, lastLines } = end
    if (end.reason === undefined && isFinal(exit)) {
      finish(exit, end)
      return
    }
    const wasReady = state.name === 'serving'
    const blame = blameFor(exit, undefined)
    const step = decide({ type: 'ended', worker, blame, at: clock.monotonic() })
    const decided = step.effects.find(effect => effect.type === 'decided')?.decision
    const wasKilledOutside = blame === 'outside'
    const servedMs = wasReady ? (end.uptimeMs ?? 0) : 0
    const endsRun =
      settleReplacement === undefined &&
      deps.onDeath({ worker: name, exit, wasReady, servedMs, wasKilledOutside, lastLines })
    countCrash(exit, end)
    log.error('process died', {
      process: name,
      pid: end.pid,
      exit: describeExit(exit),
      reason: end.reason,
      uptime_ms: end.uptimeMs,
      decision: endsRun ? 'everything is stopped' : decided,
      last_lines: lastLines,
    })
    state = step.state
    if (endsRun) return
    for (const effect of step.effects) perform(effect)
    settleReplacement?.({
      ok: false,
      reason: `${name}: ${end.reason ?? `it ended with ${describeExit(exit)}`}`,
      lastLines,
    })
  }

  function countCrash(exit: Exit, { reason, lastLines }: { reason?: string; lastLines: readonly string[] }): void {
    const at = new Date(clock.now()).toISOString()
    counts.crashes++
    counts.lastDeath = { at, exit: describeExit(exit), reason, line: tellingLine(lastLines), requests: [] }
  }

  function isFinal(exit: Exit): boolean {
    return plan.restart === 'never' || (plan.restart === 'on_failure' && exitCodeOf(exit) === 0)
  }

  /** Records an end after which no other is started. */
  function finish(
    exit: Exit,
    { pid, uptimeMs, lastLines }: Pick<Death, 'lastLines'> & { pid?: number; uptimeMs?: number },
  ): void {
    isFinished = true
    const wasReady = state.name === 'serving'
    state = { name: 'idle' }
    const record = { process: name, pid, exit: describeExit(exit), uptime_ms: uptimeMs }
    if (exitCodeOf(exit) === 0) {
      log.info('process finished', record)
      settleReplacement?.({ ok: true })
      return
    }
    countCrash(exit, { lastLines })
    const wasKilledOutside = blameFor(exit, undefined) === 'outside'
    const servedMs = wasReady ? (uptimeMs ?? 0) : 0
    const endsRun =
      settleReplacement === undefined &&
      deps.onDeath({ worker: name, exit, wasReady, servedMs, wasKilledOutside, lastLines })
    const decision = endsRun ? 'everything is stopped' : 'not restarted'
    log.error('process died', { ...record, decision, last_lines: lastLines })
    settleReplacement?.({ ok: false, reason: `${name}: it ended with ${describeExit(exit)}`, lastLines })
  }

  async function stopRunning(graceMs: number): Promise<void> {
    cancelTimer()
    const stopped = running
    state = { name: 'idle' }
    stopped?.managed.stop(graceMs)
    await stopped?.recorded
  }

  function shownState(): ProcessStatus['state'] {
    if (state.name === 'serving') return 'running'
    if (state.name !== 'idle') return state.name
    return running ? 'replacing' : isFinished ? 'finished' : 'idle'
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
    },
    isDown: () => state.name === 'waiting' || (state.name === 'booting' && state.failures > 0),
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
    }),
  }
}
