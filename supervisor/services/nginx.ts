import { pause } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import { backoffMs } from '../domain/backoff.ts'
import { describeExit } from '../domain/exit.ts'
import { complaintFix, nameOrigins } from '../domain/nginx-complaint.ts'
import { inheritedSockets, type NginxModel } from '../domain/nginx-model.ts'
import { renderNginx } from '../domain/nginx-render.ts'
import type { ConfigTest, NginxFiles, ProcessView, Surroundings } from '../domain/ports.ts'
import { type ManagedProcess, manageProcess } from './managed-process.ts'
import { createNginxOrphans } from './nginx-orphans.ts'

const pollMs = 2
const startTimeoutMs = 10_000
const backoff = { initialMs: 200, maxMs: 10_000 }
/** A master that ran this long starts the backoff anew. */
const stableMs = 1000

export interface Nginx {
  /** Renders and tests without a trace; an OperatorError with nginx's own words when it is refused. */
  check(model: NginxModel): Promise<void>
  /** Starts; settles when nginx has workers. An OperatorError with nginx's own words when it refuses the configuration. */
  start(model: NginxModel): Promise<void>
  /**
   * Renders, tests, promotes and reloads; settles when only new nginx workers accept. Changes nothing when it rejects, and
   * reloads nothing when no file of the configuration has changed: a reload closes client connections.
   */
  apply(model: NginxModel): Promise<void>
  /** `apply` for when the model alone may have changed, and not the files that the user's own configuration is in. */
  follow(model: NginxModel): Promise<void>
  /** Takes note of all files that nginx was started with, so that `apply` can tell a change. */
  takeNote(): void
  /** Has the workers of dead masters quit, since what they know is out of date; settles when they take no more requests. */
  retireOrphans(): Promise<void>
  reopenLogs(): void
  /** Whether `start` has come to its end. */
  isStarted(): boolean
  isAlive(): boolean
  /** Graceful: QUIT, and KILL after `graceMs`; else TERM. Settles when nginx and its workers are gone. */
  stop(mode: 'graceful' | 'fast', graceMs: number): Promise<void>
}

export interface NginxDeps extends Surroundings {
  files: NginxFiles
  processes: ProcessView
  /** The bound front sockets, in the supervisor. */
  descriptors: readonly number[]
  env: Readonly<Record<string, string>>
}

export function createNginx(deps: NginxDeps): Nginx {
  const { clock, log, files } = deps
  let master: ManagedProcess | undefined
  let isStarted = false
  let isStopping = false
  let lastApply: Promise<void> = Promise.resolve()
  /** The rendered files that were promoted last, and the whole configuration with them, as far as it is known. */
  let given: { rendered: string; whole: string | undefined } = { rendered: '', whole: undefined }
  let failures = 0
  /** Died, and not yet followed by one with workers: theirs alone serve. */
  let dead: ManagedProcess[] = []
  const ending = new AbortController()
  /** Settles when no test is under way. */
  let testing: Promise<void> = Promise.resolve()
  const orphans = createNginxOrphans(deps)

  function spawnMaster(): ManagedProcess {
    const child = deps.spawn({
      name: 'nginx',
      argv: ['nginx', '-e', 'stderr', '-c', `${files.currentFolder}/nginx.conf`],
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
    void child.exited.then(exit => {
      if (master !== started || isStopping || !isStarted) return
      dead.push(started)
      const uptimeMs = clock.monotonic() - startedAt
      failures = uptimeMs >= stableMs ? 0 : failures + 1
      const delayMs = backoffMs(failures, backoff, deps.random())
      log.error('nginx died, starting it again on the same sockets', {
        pid: child.pid,
        exit: describeExit(exit),
        uptime_ms: uptimeMs,
        delay_ms: delayMs,
      })
      clock.after(delayMs, restart)
    })
    const startedAt = clock.monotonic()
    return started
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

  async function stageTested(model: NginxModel): Promise<{ folder: string; whole: string }> {
    const folder = files.stage(renderNginx(model))
    try {
      return { folder, whole: await expectAccepted(folder, model) }
    } catch (error) {
      files.discard(folder)
      throw error
    }
  }

  function test(folder: string): Promise<ConfigTest> {
    const result = files.test(folder, deps.descriptors, ending.signal)
    testing = Promise.allSettled([testing, result]).then(() => {})
    return result
  }

  /** The whole configuration, as nginx read it. */
  async function expectAccepted(folder: string, model: NginxModel): Promise<string> {
    const result = await test(folder)
    if (ending.signal.aborted) throw new OperatorError('monohull is stopping', { fix: 'start it again' })
    if (!result.ok) {
      throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, model).join('\n')}`, {
        fix: complaintFix(result.output, model),
      })
    }
    for (const warning of nameOrigins(result.warnings, model)) log.warn('nginx warns', { output: warning })
    return result.text
  }

  async function applyNow(model: NginxModel): Promise<void> {
    if (isStopping) return
    const { folder, whole } = await stageTested(model)
    const rendered = textOf(model)
    // pages are no part of what nginx reads at a reload
    if (whole === given.whole && rendered === given.rendered) {
      files.discard(folder)
      return
    }
    const [former, formerlyGiven] = [files.promote(folder), given]
    given = { rendered, whole }
    if (!master) return
    const known = deps.processes.childrenOf(master.child.pid)
    // a master that just died is started again with the promoted files anyway
    if (!master.child.signal('SIGHUP')) return
    if (!(await waitForWorkers(master, known)) && master.child.signal('SIGHUP')) {
      // or the next master would start with what this one has refused
      if (former !== undefined) files.promote(former)
      given = formerlyGiven
      throw new OperatorError('nginx did not take the new configuration', {
        fix: 'mend what its own message names, it stands above',
      })
    }
    orphans.retire('SIGQUIT')
  }

  function inTurn(act: () => Promise<void>): Promise<void> {
    const applied = lastApply.then(act)
    lastApply = applied.catch(() => {}) // told to whoever asked; the next one starts clean
    return applied
  }

  return {
    async check(model) {
      files.discard((await stageTested(model)).folder)
    },
    async start(model) {
      if (isStopping) return
      const folder = files.stage(renderNginx(model))
      files.promote(folder)
      given = { rendered: textOf(model), whole: undefined }
      master = spawnMaster()
      isStarted = await waitForWorkers(master)
      if (isStarted || isStopping) return
      // starting is the test; asked again, it tells why
      await expectAccepted(folder, model)
      throw new OperatorError('nginx did not start', { fix: 'mend what its own message names, it stands above' })
    },
    apply: model => inTurn(() => applyNow(model)),
    takeNote() {
      void inTurn(async () => {
        const result = await test(files.currentFolder)
        if (result.ok) given.whole ??= result.text
      }).catch(error => log.debug('cannot take note of the nginx configuration', { error: messageOf(error) }))
    },
    follow: model =>
      inTurn(async () => {
        if (textOf(model) !== given.rendered) await applyNow(model)
      }),
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
      ending.abort()
      await testing
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

function textOf(model: NginxModel): string {
  return [...renderNginx(model)].flat().join('\n')
}
