import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import { stoppingReason } from '../base/stopping.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, exitCodeOf } from '../processes/exit.ts'
import type { ManagedProcess } from '../processes/managed-process.ts'
import { manageTask } from '../processes/task-process.ts'
import { type HookEvent, type HookFacts, type HookPlan, hookEnv } from './hook.ts'

/** Background commands that run at once; further ones wait. */
const maxRunning = 4
/** Background commands that wait; any more are skipped. */
const maxWaiting = 64
/** Time between SIGTERM and SIGKILL for a command that exceeded its timeout. */
const graceMs = 1000
/** The same at the end of a run, when no more time is left. */
const finalGraceMs = 200

/** One run of a hook's command. */
export interface HookRun {
  event: HookEvent
  plan: HookPlan
  facts: HookFacts
  /** Upper bound on the plan's timeout, in ms. */
  limitMs?: number
}

/** Result of a hook. `code` is the exit code that a failed startup ends with; never 0. */
export type HookResult = { ok: true } | { ok: false; reason: string; code: number }

/** Runs hook commands, each in a process group that ends with its command. */
export interface Hooks {
  /** Runs a command until it ends or its time is over. */
  run(run: HookRun): Promise<HookResult>
  /** Queues a command to run in the background. A failure is logged. */
  enqueue(run: HookRun): void
  /** Resolves when no command runs or waits in the background. */
  settled(): Promise<void>
  /** Stops the running commands and runs no more. Resolves when they are gone. */
  end(): Promise<void>
}

/** Hook commands, of which none runs yet. */
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
      const reason =
        cause === 'requested' ? 'was stopped with monohull' : `took longer than ${formatDuration(timeoutMs)}`
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
        log.warn('hook skipped, too many are waiting', { hook: next.event, worker: next.facts.worker })
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
