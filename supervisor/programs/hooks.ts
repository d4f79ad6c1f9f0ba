import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import { stoppingReason } from '../base/stopping.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, exitCodeOf } from '../processes/exit.ts'
import type { ManagedProcess } from '../processes/managed-process.ts'
import { manageTask } from '../processes/task-process.ts'
import { type HookEvent, type HookFacts, type HookPlan, hookEnv } from './hook.ts'

/** Commands in the background at once; workers that come and go faster than these end are told one after the other. */
const maxRunning = 4
/** Events that wait for their turn; what comes on top is left out. */
const maxWaiting = 64
/** From TERM to KILL, for a command that took too long. */
const graceMs = 1000
/** The same at the end of monohull, whose own time is over. */
const finalGraceMs = 200

export interface HookRun {
  event: HookEvent
  plan: HookPlan
  facts: HookFacts
  /** Less than the plan's own timeout, where the time is somebody else's. */
  limitMs?: number
}

/** `code` is what the command would end a start with; never 0. */
export type HookResult = { ok: true } | { ok: false; reason: string; code: number }

/** Runs the operator's commands. What they leave running ends with them. */
export interface Hooks {
  /** Runs a command to its end, or to that of its time. */
  run(run: HookRun): Promise<HookResult>
  /** Runs a command when there is room for it; a failure is logged. */
  enqueue(run: HookRun): void
  /** Settles when nothing runs or waits in the background. */
  settled(): Promise<void>
  /** Ends what runs, and runs nothing more. Settles when it is gone. */
  end(): Promise<void>
}

export function createHooks({ spawn, clock, log }: Pick<ProcessRuntime, 'spawn' | 'clock' | 'log'>): Hooks {
  const running = new Set<ManagedProcess>()
  const waiting: HookRun[] = []
  let inBackground = 0
  let isEnding = false
  let whenSettled: (() => void)[] = []

  async function run({ event, plan, facts, limitMs = plan.timeoutMs }: HookRun): Promise<HookResult> {
    if (isEnding) return { ok: false, reason: stoppingReason, code: 1 }
    const timeoutMs = Math.min(limitMs, plan.timeoutMs)
    let hook: ManagedProcess
    try {
      const child = spawn({
        name: `hook.${event}`,
        argv: plan.argv,
        directory: plan.directory,
        env: { ...plan.env, ...hookEnv(event, facts) },
        uid: plan.uid,
        gid: plan.gid,
        inherit: [],
        output: 'relay',
        notify: false,
      })
      hook = manageTask({ child, clock, timeoutMs, graceMs })
    } catch (error) {
      return { ok: false, reason: reasonOf(error), code: 126 }
    }
    running.add(hook)
    const { exit, cause, uptimeMs } = await hook.ended
    running.delete(hook)
    await hook.child.outputEnded()
    if (cause !== undefined) {
      const reason = cause === 'requested' ? 'was ended with monohull' : `took longer than ${formatDuration(timeoutMs)}`
      return { ok: false, reason, code: exitCodeOf(exit) || 1 }
    }
    if (exitCodeOf(exit) !== 0) return { ok: false, reason: `ended with ${describeExit(exit)}`, code: exitCodeOf(exit) }
    log.debug('hook finished', { hook: event, worker: facts.worker, ms: uptimeMs })
    return { ok: true }
  }

  function startWaiting(): void {
    while (inBackground < maxRunning) {
      const next = waiting.shift()
      if (!next) return
      inBackground++
      void run(next).then(result => {
        inBackground--
        if (!result.ok && !isEnding)
          log.warn('hook failed', { hook: next.event, worker: next.facts.worker, reason: result.reason })
        startWaiting()
        if (inBackground > 0) return
        for (const settle of whenSettled) settle()
        whenSettled = []
      })
    }
  }

  return {
    run,
    enqueue(next) {
      if (isEnding) return
      if (waiting.length >= maxWaiting) {
        log.warn('hook left out, too many are waiting', { hook: next.event, worker: next.facts.worker })
        return
      }
      waiting.push(next)
      startWaiting()
    },
    async settled() {
      if (inBackground > 0) await new Promise<void>(resolve => whenSettled.push(resolve))
    },
    async end() {
      isEnding = true
      waiting.length = 0
      for (const hook of running) hook.stop(finalGraceMs)
      await Promise.all([...running].map(hook => hook.ended))
    },
  }
}
