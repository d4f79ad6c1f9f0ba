import { backoffMs } from '../base/backoff.ts'
import { pause } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import { inheritedSockets } from './inherited-sockets.ts'
import { createNginxOrphans, type OrphanView } from './orphans.ts'

/** View of running nginx processes. */
export interface ProcessView extends OrphanView {
  childrenOf(pid: number): number[]
  /** Whether an nginx worker has stopped accepting connections. */
  isNginxDraining(pid: number): boolean
}

const pollMs = 2
const startTimeoutMs = 10_000
const backoff = { initialMs: 200, maxMs: 10_000 }
/** A master that ran this long resets the backoff. */
const stableMs = 1000

/** Dependencies of `createNginxMaster`. */
export interface NginxMasterDeps extends ProcessRuntime {
  /** Directory of the nginx.conf. */
  configuration: string
  processes: ProcessView
  /** Descriptors of the bound sockets that it inherits from the supervisor. */
  descriptors: readonly number[]
  env: Readonly<Record<string, string>>
}

/** Master process of nginx, which is restarted if it dies. */
export interface NginxMaster {
  /** Starts nginx. Settles with true when it has workers, or with false if it exits or takes too long. */
  start(): Promise<boolean>
  /**
   * Reloads the configuration. `applied`: only new workers accept connections. `refused`: the master has no new workers within the timeout.
   * `absent`: there is no master; the next one reads the configuration anyway.
   */
  reload(): Promise<'applied' | 'refused' | 'absent'>
  /** Ends the workers of dead masters, whose configuration is outdated. Settles when they accept no more requests. */
  retireOrphans(): Promise<void>
  reopenLogs(): void
  /** Whether `start` has settled with true. */
  isStarted(): boolean
  isAlive(): boolean
  /** Stops nginx: graceful with QUIT, fast with TERM; KILL after `graceMs`. Settles when nginx and its workers have exited. */
  stop(mode: 'graceful' | 'fast', graceMs: number): Promise<void>
}

/** Master that has not been started yet. */
export function createNginxMaster(deps: NginxMasterDeps): NginxMaster {
  const { clock, log } = deps
  const orphans = createNginxOrphans(deps)
  let master: ManagedProcess | undefined
  let isStarted = false
  let isStopping = false
  let failures = 0
  let cancelRestart = () => {}
  /** Dead masters without a successor that has workers. Until then, only their workers serve. */
  let dead: ManagedProcess[] = []

  function spawnMaster(): ManagedProcess {
    const child = deps.spawn({
      name: 'nginx',
      argv: ['nginx', '-e', 'stderr', '-c', `${deps.configuration}/nginx.conf`],
      directory: '/',
      env: { ...deps.env, NGINX: inheritedSockets(deps.descriptors) },
      uid: undefined,
      gid: undefined,
      inherit: deps.descriptors,
      output: 'direct',
      notify: false,
    })
    const started = manageProcess({
      child,
      clock,
      policy: { stopSignal: 'SIGQUIT', bootTimeoutMs: startTimeoutMs, graceMs: startTimeoutMs, endsGroup: false },
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
    })
  }

  /** Settles with true when the master has new workers and the `known` ones drain, or with false if it exits or the time is up. */
  async function waitForWorkers(started: ManagedProcess, known: readonly number[] = []): Promise<boolean> {
    const deadline = clock.monotonic() + startTimeoutMs
    let isGone = false
    void started.child.exited.then(() => {
      isGone = true
    })
    while (!isGone && clock.monotonic() < deadline) {
      const { childrenOf, isNginxDraining } = deps.processes
      if (childrenOf(started.child.pid).some(pid => !known.includes(pid)) && known.every(isNginxDraining)) {
        started.markReady()
        return true
      }
      await pause(clock, pollMs)
    }
    return false
  }

  return {
    async start() {
      if (isStopping) return false
      master = spawnMaster()
      isStarted = await waitForWorkers(master)
      return isStarted
    },
    async reload() {
      // its successor, if it dies meanwhile, starts with the promoted files
      const present = master
      if (!present) return 'absent'
      const known = deps.processes.childrenOf(present.child.pid)
      // a master that has just died is restarted with the promoted files anyway
      if (!present.child.signal('SIGHUP')) return 'absent'
      if (!(await waitForWorkers(present, known)) && present.child.signal('SIGHUP')) return 'refused'
      orphans.retire('SIGQUIT')
      return 'applied'
    },
    async retireOrphans() {
      const deadline = clock.monotonic() + startTimeoutMs
      while (dead.length > 0 && !isStopping && clock.monotonic() < deadline) await pause(clock, pollMs)
      await orphans.drain()
    },
    reopenLogs() {
      master?.child.signal('SIGUSR1')
    },
    isStarted: () => isStarted,
    isAlive: () => master?.state().name === 'ready',
    async stop(mode, graceMs) {
      isStopping = true
      cancelRestart()
      if (!master) return
      const signal = mode === 'graceful' ? 'SIGQUIT' : 'SIGTERM'
      for (const { child } of dead) child.signalGroup(signal)
      orphans.retire(signal)
      if (mode === 'fast') master.child.signal('SIGTERM')
      master.stop(graceMs)
      await master.ended
    },
  }
}
