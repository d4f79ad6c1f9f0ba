import { describeSpoken } from '../nginx/spoken.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { endReason, type StopCause } from '../processes/process-state.ts'
import { blameFor } from '../processes/slot-state.ts'
import { explainDeath } from './deaths/death.ts'
import type { Endpoint } from './endpoint.ts'
import type { StackReader } from './hangs/hang-watch.ts'
import { createHangWatch } from './hangs/hang-watch.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerProbe } from './readiness.ts'
import { waitUntilReady } from './readiness.ts'
import { drawLimits, type RecycleLimits } from './recycling.ts'
import type { WorkerEnd } from './worker-end.ts'
import { readReports, type WorkerReports } from './worker-reports.ts'

/** Time after which a booting worker in development gets a hint about its port. */
const portHintMs = 2000

/** Worker process, from its launch to its end. */
export interface Worker {
  process: ManagedProcess
  endpoint: Endpoint
  /** Whether it reported its readiness on the notify descriptor. */
  hasNotified(): boolean
  /** Whether it accepts connections, as far as it reports: a Node app may close its server. */
  accepts(): boolean
  reports: WorkerReports
  /** Lets it take any time for anything, from now on: a debugger may stop it. */
  endHangWatch(): void
  /** The same until the returned function is called; until then it is not replaced for reaching a limit either. */
  hold(): () => void
  isHeld(): boolean
  limits: RecycleLimits
  /** Resolves when it and its group are gone and its last lines were read. */
  ended: Promise<WorkerEnd>
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
  let mismatch: string | undefined
  let hasNotified = false
  let isAccepting = true
  let holds = 0
  const reports = readReports(child, clock, noteAccepting)
  const process = manageProcess({
    child,
    clock,
    policy: {
      stopSignal: plan.stopSignal,
      bootTimeoutMs: plan.bootTimeoutMs,
      graceMs: plan.gracefulTimeoutMs,
      endsGroup: true,
      drainsGroup: plan.drainsGroup ?? false,
    },
    onReady() {
      cancelHint()
      log.info('worker ready', { worker: name, pid: child.pid, boot_ms: clock.monotonic() - process.state().startedAt })
      hangWatch.begin()
      if (limits.requests > 0 && !reports.countsRequests()) warnUncounted()
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
    nodePid: reports.nodePid,
  })
  // a developer should not wait for boot_timeout to learn this
  let cancelHint = plan.afterFailure === 'wait' ? clock.after(portHintMs, hintAtPort) : () => {}
  const { protocol = 'http', bootTimeoutMs } = plan
  const readiness = waitUntilReady({
    ...{ child, clock, protocol, bootTimeoutMs, probe: deps.probe },
    address: endpoint.own,
    isExclusive: !isShared,
    onMismatch(spoken) {
      const [what, fix] = describeSpoken(protocol, spoken, 'app')
      mismatch = `its server ${what}; ${fix}`
      log.warn(`the server of the worker ${what}`, { worker: name, pid: child.pid, fix })
    },
  })
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
      mismatch,
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
    reports,
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
