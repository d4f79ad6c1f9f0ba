import { pause } from '../../base/clock.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Child } from '../../processes/child.ts'
import type { ManagedProcess } from '../../processes/managed-process.ts'
import type { Endpoint } from '../endpoint.ts'
import type { WorkerPlan } from '../plan.ts'
import type { WorkerProbe } from '../readiness.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/** Reader of the JavaScript stack of a hung Node process of a child's group, by default the child, innermost call first; empty if it is unavailable. */
export type StackReader = (child: Child, options: { timeoutMs: number; pid: number | undefined }) => Promise<string[]>

const stackTimeoutMs = 2000

/** Watch of one worker, which is killed if its event loop is blocked or its health path gets no response. */
export interface HangWatch {
  /** Starts the watch, when the worker is ready. */
  begin(): void
  /** Accepts any silence until the returned function is called. */
  hold(): () => void
  end(): void
  /** The hang that was found, if any. */
  finding(): HangFinding | undefined
}

/** A hang of a worker. */
export interface HangFinding {
  /** `event loop blocked for 31 s` */
  what: string
  /** JavaScript stack, innermost call first. */
  stack: string[]
}

/** The worker to watch, its plan and the tools. */
export interface HangWatchOptions extends Pick<Runtime, 'clock'> {
  child: Child
  process: ManagedProcess
  endpoint: Endpoint
  plan: WorkerPlan
  probe: WorkerProbe
  readStack: StackReader
  /** Pid of its Node process, as far as it is known. */
  nodePid: () => number | undefined
}

/** Hang watch that is idle until `begin`. */
export function createHangWatch(options: HangWatchOptions): HangWatch {
  const { clock, child, process, endpoint, plan, probe, readStack, nodePid } = options
  const { timeoutMs, health, protocol } = plan
  let hasBeaten = false
  let hasBegun = false
  let isOver = false
  let holds = 0
  let found: HangFinding | undefined
  let heartbeat: Watchdog | undefined
  let responses: Watchdog | undefined

  child.onNotify(key => {
    if (key !== 'WATCHDOG') return
    hasBeaten = true
    // the first heartbeat may arrive after the readiness: a worker writes both without waiting
    if (hasBegun) watchHeartbeat()
    heartbeat?.sign()
  })

  function watchHeartbeat(): void {
    if (!isOver && holds === 0)
      heartbeat ??= startWatchdog({ clock, timeoutMs, onSilence: silentMs => void onBlocked(silentMs) })
  }

  function watchResponses(): void {
    if (!health || isOver || holds > 0) return
    responses = startWatchdog({ clock, timeoutMs: timeoutMs + health.intervalMs, onSilence: onNoResponse })
  }

  function endWatchdogs(): void {
    heartbeat?.end()
    responses?.end()
    heartbeat = undefined
    responses = undefined
  }

  async function onBlocked(silentMs: number): Promise<void> {
    const what = `event loop blocked for ${seconds(silentMs)}`
    found ??= { what, stack: [] }
    // the stack is worth nothing while the worker hangs on
    const stack = await readStack(child, { timeoutMs: stackTimeoutMs, pid: nodePid() }).catch(() => [])
    if (holds > 0) found = undefined
    if (isOver || holds > 0) return
    found = { what, stack }
    process.endHung('kill')
  }

  function onNoResponse(silentMs: number): void {
    const question = health?.path === undefined ? `a ${protocol} probe` : `GET ${health.path}`
    found ??= { what: `no response to ${question} for ${seconds(silentMs)}`, stack: [] }
    process.endHung('abort')
  }

  async function pollHealth({ path, intervalMs }: NonNullable<WorkerPlan['health']>): Promise<void> {
    while (!isOver) {
      if (await probe.respondsToGet(endpoint.own, { path, protocol }, timeoutMs)) responses?.sign()
      await pause(clock, intervalMs)
    }
  }

  return {
    begin() {
      if (timeoutMs === 0 || isOver) return
      hasBegun = true
      if (hasBeaten) watchHeartbeat()
      if (!health) return
      watchResponses()
      void pollHealth(health)
    },
    hold() {
      holds++
      endWatchdogs()
      return () => {
        holds--
        if (holds > 0 || !hasBegun) return
        if (hasBeaten) watchHeartbeat()
        watchResponses()
      }
    },
    end() {
      isOver = true
      endWatchdogs()
    },
    finding: () => found,
  }
}

function seconds(durationMs: number): string {
  return `${Math.round(durationMs / 1000)} s`
}
