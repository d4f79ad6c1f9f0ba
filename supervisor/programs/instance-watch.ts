import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HealthPlan, ReadinessPlan } from './check.ts'
import type { Checks } from './checks.ts'

const firstPauseMs = 50
const longestPauseMs = 1000
/** Time for one try of a readiness check. */
const tryTimeoutMs = 5000
/** Delay of a timer that shows that this process was suspended, so that a check says nothing about the program. */
const suspendedMs = 2000

/** Result of the health checks of a process so far. */
export interface HealthStatus {
  /** Failed checks in a row, and how many of them restart the process. */
  failures: number
  limit: number
  /** Problem of the last check; undefined if it passed, or none has ended yet. */
  problem: string | undefined
}

/** Watch over one running process: until it is ready, then over its health. */
export interface InstanceWatch {
  /** Receives lines that the process prints. */
  printed(lines: Buffer): void
  /** Begins to check whether it is ready. */
  awaitReady(plan: ReadinessPlan): void
  /** Begins, changes or ends the health checks. */
  watchHealth(plan: HealthPlan | undefined): void
  /** Problem of the last check of readiness. */
  lastProblem(): string | undefined
  health(): HealthStatus | undefined
  /** Ends all checks. Settles when none runs. */
  end(): Promise<void>
}

/** Dependencies of the watch. */
export interface InstanceWatchDeps {
  clock: Clock
  log: Log
  /** Name of the process. */
  name: string
  checks: Checks
  onReady(): void
  /** Called once, when so many checks in a row have failed that it is to be restarted. */
  onUnhealthy(reason: string): void
  /** Called for each failed health check. */
  onFailedCheck(): void
}

/** Watch that checks nothing yet. */
export function createInstanceWatch(deps: InstanceWatchDeps): InstanceWatch {
  const { clock, log, name, checks } = deps
  let awaited: ReadinessPlan | undefined
  let problem: string | undefined
  let cancel = () => {}
  let isOver = false
  let plan: HealthPlan | undefined
  let healthySince = 0
  let failures = 0
  let healthProblem: string | undefined
  let isChecking = false

  function becomeReady(): void {
    if (isOver || !awaited) return
    awaited = undefined
    cancel()
    deps.onReady()
  }

  async function tryReady(pauseMs: number): Promise<void> {
    const check = awaited?.check
    if (!check || check.kind === 'line') return
    const found = await checks.run(check, tryTimeoutMs)
    if (isOver || !awaited) return
    problem = found
    if (found === undefined) becomeReady()
    else cancel = clock.after(pauseMs, () => void tryReady(Math.min(pauseMs * 2, longestPauseMs)))
  }

  function checkLater(): void {
    cancel()
    if (plan && !isOver && !isChecking) cancel = clock.after(plan.intervalMs, () => void checkHealth())
  }

  async function checkHealth(): Promise<void> {
    if (!plan) return
    const { check, timeoutMs } = plan
    const startedAt = clock.monotonic()
    isChecking = true
    const found = await checks.run(check, timeoutMs)
    isChecking = false
    const wasSuspended = clock.monotonic() - startedAt > timeoutMs + suspendedMs
    if (isOver || !plan) return
    // the plan may have changed meanwhile
    if (plan.check === check && !wasSuspended) judge(found, plan)
    checkLater()
  }

  function judge(found: string | undefined, { failures: limit, startPeriodMs }: HealthPlan): void {
    if (found === undefined) {
      if (failures > 0) log.info('health check passed again', { process: name })
      failures = 0
      healthProblem = undefined
      return
    }
    healthProblem = found
    if (clock.monotonic() - healthySince < startPeriodMs) return
    failures++
    deps.onFailedCheck()
    if (failures === 1) log.warn('health check failed', { process: name, reason: found, restart_after: limit })
    if (failures < limit) return
    isOver = true
    deps.onUnhealthy(`${failures} health check${failures === 1 ? '' : 's'} failed: ${found}`)
  }

  return {
    printed(lines) {
      if (awaited?.check.kind === 'line' && lines.includes(awaited.check.text)) becomeReady()
    },
    awaitReady(next) {
      awaited = next
      void tryReady(firstPauseMs)
    },
    watchHealth(next) {
      if (isOver) return
      if (!plan) healthySince = clock.monotonic()
      if (!next) failures = 0
      if (!next) healthProblem = undefined
      plan = next
      checkLater()
    },
    lastProblem: () => problem,
    health: () => plan && { failures, limit: plan.failures, problem: healthProblem },
    async end() {
      isOver = true
      cancel()
      await checks.end()
    },
  }
}
