import { backoffMs } from '../base/backoff.ts'
import { pause } from '../base/clock.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import { type ManagedProcess, manageProcess } from '../processes/managed-process.ts'
import { inheritedSockets } from './inherited-sockets.ts'
import { createNginxOrphans, type OrphanView } from './orphans.ts'

/** View of running nginx processes. */
export interface ProcessView extends OrphanView {
  childrenOf(pid: number): number[]
  /** Whether an nginx worker accepts nothing any more. */
  isNginxLeaving(pid: number): boolean
}

const pollMs = 2
const startTimeoutMs = 10_000
const backoff = { initialMs: 200, maxMs: 10_000 }
/** A master that ran this long restarts the backoff. */
const stableMs = 1000

export interface NginxMasterDeps extends ProcessRuntime {
  /** Directory whose nginx.conf a master reads. */
  configuration: string
  processes: ProcessView
  /** The bound sockets that it inherits, in the supervisor. */
  descriptors: readonly number[]
  env: Readonly<Record<string, string>>
}

/** The master process of nginx, and the one that follows when it dies. */
export interface NginxMaster {
  /** Starts; settles when there are nginx workers, with false when it ended or took too long. */
  start(): Promise<boolean>
  /**
   * Has it read its configuration again. `taken`: only new workers accept. `refused`: it lives, and has no new ones in
   * time. `absent`: there is none; the next one reads the configuration anyway.
   */
  reload(): Promise<'taken' | 'refused' | 'absent'>
  /** Has the workers of dead masters quit, since what they know is out of date; settles when they take no more requests. */
  retireOrphans(): Promise<void>
  reopenLogs(): void
  /** Whether `start` has settled with true. */
  isStarted(): boolean
  isAlive(): boolean
  /** Graceful: QUIT, and KILL after `graceMs`; else TERM. Settles when nginx and its workers are gone. */
  stop(mode: 'graceful' | 'fast', graceMs: number): Promise<void>
}

export function createNginxMaster(deps: NginxMasterDeps): NginxMaster {
  const { clock, log } = deps
  const orphans = createNginxOrphans(deps)
  let master: ManagedProcess | undefined
  let isStarted = false
  let isStopping = false
  let failures = 0
  /** Died, and not yet followed by one with workers: theirs alone serve. */
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
    const delayMs = backoffMs(failures, backoff, deps.random())
    log.error('nginx died, starting it again on the same sockets', {
      pid: gone.child.pid,
      exit: describeExit(exit),
      uptime_ms: uptimeMs,
      delay_ms: delayMs,
    })
    clock.after(delayMs, restart)
  }

  function restart(): void {
    if (isStopping) return
    const started = spawnMaster()
    master = started
    void waitForWorkers(started).then(isUp => {
      if (!isUp) return
      log.info('nginx is back', { pid: started.child.pid })
      for (const { child } of dead) orphans.adopt(child)
      dead = []
    })
  }

  /** Settles when the master has a worker, and the `known` ones leave; false when it ended or the time is over. */
  async function waitForWorkers(started: ManagedProcess, known: readonly number[] = []): Promise<boolean> {
    const deadline = clock.monotonic() + startTimeoutMs
    let isGone = false
    void started.child.exited.then(() => {
      isGone = true
    })
    while (!isGone && clock.monotonic() < deadline) {
      const { childrenOf, isNginxLeaving } = deps.processes
      if (childrenOf(started.child.pid).some(pid => !known.includes(pid)) && known.every(isNginxLeaving)) {
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
      if (!master) return 'absent'
      const known = deps.processes.childrenOf(master.child.pid)
      // a master that just died is started again with the promoted files anyway
      if (!master.child.signal('SIGHUP')) return 'absent'
      if (!(await waitForWorkers(master, known)) && master.child.signal('SIGHUP')) return 'refused'
      orphans.retire('SIGQUIT')
      return 'taken'
    },
    async retireOrphans() {
      const deadline = clock.monotonic() + startTimeoutMs
      while (dead.length > 0 && !isStopping && clock.monotonic() < deadline) await pause(clock, pollMs)
      await orphans.leave()
    },
    reopenLogs() {
      master?.child.signal('SIGUSR1')
    },
    isStarted: () => isStarted,
    isAlive: () => master?.state().name === 'ready',
    async stop(mode, graceMs) {
      isStopping = true
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
