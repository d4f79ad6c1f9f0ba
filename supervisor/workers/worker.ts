import { exitCode, reasonOf } from '../base/errors.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { endReason, type StopCause } from '../processes/process-state.ts'
import { type Blame, blameFor } from '../processes/slot-state.ts'
import { explainDeath } from './deaths/death.ts'
import type { Endpoint } from './endpoint.ts'
import type { StackReader } from './hangs/hang-watch.ts'
import { createHangWatch } from './hangs/hang-watch.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerProbe } from './readiness.ts'
import { waitUntilReady } from './readiness.ts'
import { drawLimits, type RecycleLimits } from './recycling.ts'

/** Age from which a reported load is out of date. */
const loadValidMs = 3000
/** Time after which a booting worker in development gets a hint about its port. */
const portHintMs = 2000

/** Event loop of a Node worker at a sign of life: the delay in s, and the share of the time since the last one in which it was busy. */
export interface LoopReport {
  use: number
  delay: number
}

/** Worker process, from its launch to its end. */
export interface Worker {
  process: ManagedProcess
  endpoint: Endpoint
  /** Whether it reported its readiness on the notify descriptor. */
  hasNotified(): boolean
  /** Whether it accepts connections, as far as it reports: a Node app may close its server. */
  accepts(): boolean
  /** Recent load, from 0 to 1; undefined if it does not report any. */
  load(): number | undefined
  /** What its Node process reported last about its event loop; undefined for any other program. */
  loop(): LoopReport | undefined
  /** Pid of its Node process, as that reports: the program itself, or the child of a wrapper. Undefined for any other program. */
  nodePid(): number | undefined
  /** Lets it take any time for anything, from now on: a debugger may stop it. */
  endHangWatch(): void
  /** The same until the returned function is called; until then it is not replaced for reaching a limit either. */
  hold(): () => void
  isHeld(): boolean
  /** Number of requests that it reported. It reports once, at its limit; 0 before that. */
  requests(): number
  limits: RecycleLimits
  /** Resolves when it and its group are gone and its last lines were read. */
  ended: Promise<WorkerEnd>
}

/** Record of a worker's end. */
export interface WorkerEnd {
  pid: number
  exit: Exit
  wasReady: boolean
  /** Whether monohull asked it to stop. */
  wasRequested: boolean
  /** Monohull's reason for ending it; undefined if it ended by itself. */
  cause: StopCause | undefined
  /** Time in ms since the Unix epoch. */
  startedAt: number
  uptimeMs: number
  /** Time since it was ready, in ms; 0 if it never was. */
  servedMs: number
  blame: Blame
  lastLines: string[]
  /** Reason and fix, if the exit does not say enough. */
  reason: string | undefined
  /** JavaScript stack of a hang, innermost call first; empty if unknown. */
  stack: string[]
}

/** Options of a launch. */
export interface WorkerLaunch {
  /** `app.1` */
  name: string
  slot: number
  plan: WorkerPlan
  endpoint: Endpoint
  /** Whether an older worker listens at the same endpoint. */
  isShared: boolean
  onReady: () => void
  /** Called when a ready worker stopped accepting connections, or accepts them again. */
  onAccepting: () => void
  /** Called as soon as its process and group are gone, before its last lines are read. */
  onExit: (exit: { exit: Exit; cause: StopCause | undefined }) => void
}

/** Dependencies of workers. */
export interface WorkerDeps extends ProcessRuntime {
  probe: WorkerProbe
  /** TCP ports that the processes of a group listen on. */
  portsOf: (group: number) => number[]
  /** Name and pid of the process that listens on a TCP port: `node (pid 42)`. */
  ownerOf: (port: number) => string | undefined
  readStack: StackReader
  /** Resident memory of process groups, in bytes. */
  memoryOf: (groups: readonly number[]) => Map<number, number>
  oomWatch: OomWatch
  /** Called when a worker became ready or ended. Must not throw or block. */
  onWorkerEvent: (event: WorkerEvent) => void
}

/** Event of a worker, for hooks. */
export type WorkerEvent =
  | { type: 'ready'; worker: string; pid: number }
  /** `reason`: see `endReason`. */
  | { type: 'ended'; worker: string; pid: number; exit: Exit; reason: string }

/** Starts a worker. Throws an OperatorError if the system refuses. */
export function launchWorker(
  deps: WorkerDeps,
  { name, slot, plan, endpoint, isShared, onReady, onAccepting, onExit }: WorkerLaunch,
): Worker {
  const { clock, log } = deps
  const { socket, port } = endpoint
  const limits = drawLimits(plan.recycle, deps.random())
  const child = deps.spawn({
    name,
    argv: plan.argvFor(port),
    directory: plan.directory,
    env: plan.env({ requestLimit: limits.requests, slot, socketInode: socket?.inode, port }),
    uid: plan.uid,
    gid: plan.gid,
    stopSignal: plan.stopSignal,
    inherit: socket ? [socket.descriptor] : [],
    isBlocking: socket !== undefined && !plan.isNode,
    output: 'relay',
    notify: true,
  })
  let otherPorts: number[] = []
  let otherOwner: string | undefined
  let hasNotified = false
  let reported: { load: number; at: number } | undefined
  let loop: LoopReport | undefined
  let isAccepting = true
  let isCounting = false
  let requests = 0
  let nodePid: number | undefined
  let holds = 0
  child.onNotify((key, value) => {
    if (key === 'NODE_PID') nodePid = Number(value) || undefined
    if (key === 'LOAD') reported = { load: Math.min(1, Math.max(0, Number(value) || 0)), at: clock.monotonic() }
    if (key === 'LOOP') loop = readLoop(value)
    if (key === 'READY') noteAccepting(value === '1')
    if (key === 'REQUEST_LIMIT') isCounting = true
    if (key === 'REQUESTS') requests = Number(value) || 0
  })
  const process = manageProcess({
    child,
    clock,
    policy: {
      stopSignal: plan.stopSignal,
      bootTimeoutMs: plan.bootTimeoutMs,
      graceMs: plan.gracefulTimeoutMs,
      endsGroup: true,
    },
    onReady() {
      cancelHint()
      log.info('worker ready', { worker: name, pid: child.pid, boot_ms: clock.monotonic() - process.state().startedAt })
      hangWatch.begin()
      if (limits.requests > 0 && !isCounting) warnUncounted()
      onReady()
      deps.onWorkerEvent({ type: 'ready', worker: name, pid: child.pid })
    },
    onBootTimeout() {
      otherPorts = deps.portsOf(child.pid)
      const owner = otherPorts[0] === undefined ? undefined : deps.ownerOf(otherPorts[0])
      if (!owner?.endsWith(`(pid ${child.pid})`)) otherOwner = owner
    },
  })
  const hangWatch = createHangWatch({
    clock,
    child,
    process,
    endpoint,
    plan,
    probe: deps.probe,
    readStack: deps.readStack,
    nodePid: () => nodePid,
  })
  // a developer should not wait for boot_timeout to learn this
  let cancelHint = plan.afterFailure === 'wait' ? clock.after(portHintMs, hintAtPort) : () => {}
  const target = { address: endpoint.own, protocol: plan.protocol, isExclusive: !isShared }
  const readiness = waitUntilReady({ child, probe: deps.probe, clock, ...target })
  void readiness.ready.then(by => {
    hasNotified = by === 'notified'
    process.markReady()
  })

  function noteAccepting(accepts: boolean): void {
    if (accepts === isAccepting || process.state().name !== 'ready') return
    isAccepting = accepts
    if (accepts) log.info('worker accepts requests again', { worker: name, pid: child.pid })
    else
      log.warn('worker accepts no requests: its HTTP server has closed', {
        worker: name,
        pid: child.pid,
        fix: 'let it listen again, or exit so that it is restarted',
      })
    onAccepting()
  }

  function hintAtPort(): void {
    const ports = deps.portsOf(child.pid)
    const [other] = ports
    if (other === undefined || (port !== undefined && ports.includes(port))) {
      cancelHint = clock.after(portHintMs, hintAtPort)
      return
    }
    log.warn(`the worker does not listen on its ${port === undefined ? 'socket' : 'port'}, but on another port`, {
      worker: name,
      port: other,
      fix:
        port === undefined
          ? 'set app.listen: port, and pass it $PORT (flask run --port $PORT), or make it use descriptor 3'
          : `pass it $PORT, which is ${port} (flask run --port $PORT)`,
    })
  }

  function warnUncounted(): void {
    log.warn('max_requests has no effect: this worker does not count its requests', {
      worker: name,
      fix: "use the server's own option (Gunicorn: --max-requests), or max_memory, max_age or restart",
    })
  }

  async function end(): Promise<WorkerEnd> {
    const { exit: ending, cause, wasReady, uptimeMs, servedMs } = await process.ended
    cancelHint()
    const startedAt = clock.now() - uptimeMs
    const exit = cause === undefined ? deps.oomWatch.judge(ending) : ending
    const wasRequested = cause === 'requested'
    onExit({ exit, cause })
    readiness.cancel()
    hangWatch.end()
    await child.outputEnded()
    const lastLines = child.lastLines()
    const reason = explainDeath({
      exit,
      cause,
      wasReady,
      otherPorts,
      otherOwner,
      hang: hangWatch.finding()?.what,
      memoryLimit: deps.oomWatch.limit(),
      program: plan.argv[0] ?? '',
      ...plan,
      port,
    })
    deps.onWorkerEvent({ type: 'ended', worker: name, pid: child.pid, exit, reason: endReason(cause, exit) })
    const blame = blameFor(exit, cause)
    if (wasRequested) log.info('worker stopped', { worker: name, pid: child.pid, exit: describeExit(exit) })
    return {
      pid: child.pid,
      exit,
      wasReady,
      wasRequested,
      cause,
      startedAt,
      uptimeMs,
      servedMs,
      blame,
      lastLines,
      reason,
      stack: hangWatch.finding()?.stack ?? [],
    }
  }

  return {
    process,
    endpoint,
    hasNotified: () => hasNotified,
    accepts: () => isAccepting,
    // a worker that stopped reporting is busy
    load: () => reported && (clock.monotonic() - reported.at > loadValidMs ? 1 : reported.load),
    requests: () => requests,
    loop: () => loop,
    nodePid: () => nodePid,
    endHangWatch: hangWatch.end,
    hold() {
      holds++
      const endHold = hangWatch.hold()
      return () => {
        holds--
        endHold()
      }
    },
    isHeld: () => holds > 0,
    limits,
    ended: end(),
  }
}

/** Report in the text of a sign of life, `0.250 3`: share and ms. */
function readLoop(text: string): LoopReport | undefined {
  const [use, delayMs] = text.split(' ').map(Number)
  if (use === undefined || delayMs === undefined || !Number.isFinite(use + delayMs)) return undefined
  return { use: Math.min(1, Math.max(0, use)), delay: Math.max(0, delayMs / 1000) }
}

/** Record of a worker that the system refused to start. */
export type RefusedEnd = Omit<WorkerEnd, 'pid'> & { pid: undefined }

/** Record for a worker whose start threw `error`. */
export function refusedEnd(error: unknown): RefusedEnd {
  return {
    pid: undefined,
    exit: { kind: 'code', code: exitCode.software },
    wasReady: false,
    wasRequested: false,
    cause: undefined,
    startedAt: 0,
    uptimeMs: 0,
    servedMs: 0,
    blame: 'worker',
    lastLines: [],
    reason: reasonOf(error),
    stack: [],
  }
}
