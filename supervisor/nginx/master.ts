import { backoffMs } from '../base/backoff.ts'
import { pause } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import {
  type HandoverDeps,
  type HandoverResult,
  type MasterView,
  observeHandover,
  waitWhileLoading,
} from './handover.ts'
import { inheritedSockets } from './inherited-sockets.ts'
import { createOldWorkers, type OldWorkersView } from './old-workers.ts'
import { createNginxOrphans, type OrphanView } from './orphans.ts'

/** View of running nginx processes. */
export interface ProcessView extends OrphanView, MasterView, OldWorkersView {}

const pollMs = 2
/** Time for a start. nginx may have to resolve many names. */
const startTimeoutMs = 300_000
const retireTimeoutMs = 10_000
const graceMs = 10_000
/** Time at the end of a stop in which nginx closes the connections that are left. */
const closeMs = 500
const backoff = { initialMs: 200, maxMs: 10_000 }
/** A master that ran this long resets the backoff. */
const stableMs = 1000

/** Dependencies of `createNginxMaster`. */
export interface NginxMasterDeps extends ProcessRuntime {
  /** Directory of the nginx.conf. */
  configuration: string
  processes: ProcessView
  askGeneration: HandoverDeps['askGeneration']
  /** Descriptors of the bound sockets that it inherits from the supervisor. */
  descriptors: readonly number[]
  env: Readonly<Record<string, string>>
  /** Form of nginx's messages on stderr; undefined: nginx's own. */
  renderErrors?: ((lines: Buffer) => string) | undefined
}

/** How nginx is stopped. */
export type NginxStop = 'graceful' | 'handover' | 'fast'

/** Master process of nginx, which is restarted if it dies. */
export interface NginxMaster {
  /** Starts nginx. Settles with true when it has workers, or with false if it exits or takes too long. */
  start(): Promise<boolean>
  /**
   * Loads a generation. `taken`: only workers of that generation accept connections. `refused`: the master keeps the one before.
   * `unclear`: it may run either. `gone`: there is no master; the next one reads the configuration anyway.
   */
  reload(generation: number): Promise<HandoverResult>
  /** Ends the workers of dead masters, whose configuration is outdated. Settles when they accept no more requests. */
  retireOrphans(): Promise<void>
  reopenLogs(): void
  /** Whether `start` has settled with true. */
  isStarted(): boolean
  isAlive(): boolean
  /** Pid of the master; undefined before the start. */
  pid(): number | undefined
  /** Number of workers that were replaced by a reload and still finish requests. */
  oldWorkers(): number
  /**
   * Stops nginx: graceful with QUIT, and TERM after `requestsMs`; fast with TERM; KILL after `graceMs`. `handover` is a graceful stop in which
   * clients with kept connections get `Connection: close` first. Settles when nginx and its workers have exited.
   */
  stop(mode: NginxStop, graceMs: number, requestsMs?: number): Promise<void>
}

/** Master that has not been started yet. */
export function createNginxMaster(deps: NginxMasterDeps): NginxMaster {
  const { clock, log } = deps
  const orphans = createNginxOrphans(deps)
  const old = createOldWorkers(deps.processes, log)
  let master: ManagedProcess | undefined
  let isStarted = false
  let isStopping = false
  let failures = 0
  let cancelRestart = () => {}
  /** Dead masters without a successor that has workers. Until then, only their workers serve. */
  let dead: ManagedProcess[] = []
  /** Whether a reload has come since they died, so that their workers must not serve beside those of the next master. */
  let isOutdated = false

  function spawnMaster(): ManagedProcess {
    const child = deps.spawn({
      name: 'nginx',
      // without a log before it has read its own, it still reports errors, but no notice about inherited sockets
      argv: ['nginx', '-e', '/dev/null', '-c', `${deps.configuration}/nginx.conf`],
      directory: '/',
      env: { ...deps.env, NGINX: inheritedSockets(deps.descriptors) },
      uid: undefined,
      gid: undefined,
      stopSignal: 'SIGQUIT',
      inherit: deps.descriptors,
      output: 'direct',
      renderStderr: deps.renderErrors,
      notify: false,
    })
    const started = manageProcess({
      child,
      clock,
      policy: { stopSignal: 'SIGQUIT', bootTimeoutMs: startTimeoutMs, graceMs, endsGroup: false },
      onReady: () => {},
    })
    const startedAt = clock.monotonic()
    void child.exited.then(exit => {
      if (master === started && isStarted && !isStopping) died(started, exit, clock.monotonic() - startedAt)
    })
    return started
  }

  function died(gone: ManagedProcess, exit: Exit, uptimeMs: number): void {
    dead.push(gone)
    failures = uptimeMs >= stableMs ? 0 : failures + 1
    const delayMs = restartLater()
    log.error('nginx died, restarting it on the same sockets', {
      pid: gone.child.pid,
      exit: describeExit(exit),
      uptime_ms: uptimeMs,
      delay_ms: delayMs,
    })
  }

  function restartLater(): number {
    const delayMs = backoffMs(failures, backoff, deps.random())
    cancelRestart = clock.after(delayMs, restart)
    return delayMs
  }

  function restart(): void {
    let started: ManagedProcess
    try {
      started = spawnMaster()
    } catch (error) {
      failures++
      log.error('cannot start nginx again', { reason: reasonOf(error), delay_ms: restartLater() })
      return
    }
    master = started
    void waitForWorkers(started).then(isUp => {
      if (!isUp) return
      log.info('nginx is back', { pid: started.child.pid })
      for (const { child } of dead) orphans.adopt(child)
      dead = []
      if (isOutdated) orphans.retire('SIGQUIT')
      isOutdated = false
    })
  }

  /** Settles with true when the master has workers, or with false if it exits first. */
  async function waitForWorkers(started: ManagedProcess): Promise<boolean> {
    const hasExited = watchExit(started)
    const hasWorkers = () => deps.processes.childrenOf(started.child.pid).length > 0
    await waitWhileLoading(deps, () => hasExited() || hasWorkers())
    if (hasExited()) return false
    started.markReady()
    return true
  }

  return {
    async start() {
      if (isStopping) return false
      master = spawnMaster()
      isStarted = await waitForWorkers(master)
      return isStarted
    },
    async reload(generation) {
      // its successor, if it dies meanwhile, starts with the promoted files
      const present = master
      if (!present) return 'gone'
      const { pid } = present.child
      const hasExited = watchExit(present)
      const known = deps.processes.childrenOf(pid)
      // a master that has just died is restarted with the promoted files anyway
      const result = present.child.signal('SIGHUP')
        ? await observeHandover(deps, { pid, known, generation, hasExited })
        : 'gone'
      if (result === 'gone' || (result === 'taken' && dead.length > 0)) isOutdated = true
      if (result === 'taken' || result === 'gone') orphans.retire('SIGQUIT')
      if (result === 'taken') old.replaced(pid, known)
      return result
    },
    async retireOrphans() {
      const deadline = clock.monotonic() + retireTimeoutMs
      while (dead.length > 0 && !isStopping && clock.monotonic() < deadline) await pause(clock, pollMs)
      await orphans.drain()
    },
    reopenLogs() {
      master?.child.signal('SIGUSR1')
    },
    isStarted: () => isStarted,
    pid: () => master?.child.pid,
    isAlive: () => master?.state().name === 'ready',
    oldWorkers: old.count,
    async stop(mode, graceMs, requestsMs = graceMs) {
      isStopping = true
      cancelRestart()
      if (!master) return
      const signal = mode === 'fast' ? 'SIGTERM' : 'SIGQUIT'
      for (const { child } of dead) child.signalGroup(signal)
      orphans.retire(signal)
      const { child } = master
      // workers that only their master tells hand their clients over, and take two seconds for it
      if (mode !== 'handover') child.signalGroup(signal)
      master.stop(graceMs)
      const closesInMs = Math.max(0, Math.min(requestsMs, graceMs - closeMs))
      const cancelClose = clock.after(closesInMs, () => void child.signalGroup('SIGTERM'))
      await master.ended
      cancelClose()
    },
  }
}

/** Whether a process has exited, from now on. */
function watchExit({ child }: ManagedProcess): () => boolean {
  let hasExited = false
  void child.exited.then(() => {
    hasExited = true
  })
  return () => hasExited
}
