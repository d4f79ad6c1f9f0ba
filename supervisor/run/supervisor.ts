import { systemClock } from '../base/adapters/system-clock.ts'
import { asOperatorError, errnoFix, errnoOf, exitCode, OperatorError } from '../base/errors.ts'
import { createLog, lineFormat } from '../base/log.ts'
import type { World } from '../base/world.ts'
import type { EffectiveKey } from '../config/effective.ts'
import { stopsOnInterrupt } from '../config/platform.ts'
import { createOutput } from '../logs/adapters/output.ts'
import type { HookRunner } from '../programs/hook-runner.ts'
import type { Settings } from '../site/settings.ts'
import { exitWithBlockedWrites } from './adapters/blocked-exit.ts'
import { receiveFaults, receiveWarnings } from './adapters/faults.ts'
import { receiveSignals } from './adapters/signals.ts'
import { expectTrustedDirectory } from './adapters/trusted-directory.ts'
import type { SendCommand } from './command.ts'
import { createCommandQueue } from './command-queue.ts'
import { type CommandDeps, runCommand } from './command-runner.ts'
import { readiness } from './health.ts'
import { createRunRecord } from './record.ts'
import type { ReloadDeps } from './reload.ts'
import { createRun } from './run.ts'
import type { RunningNginx } from './running-nginx.ts'
import { start } from './start.ts'
import { type StopReason, stop } from './stop.ts'

/** Time for pending output in a hurried stop. */
const hurriedEndMs = 50

/** A fault that repeats must not fill the log. */
const maxFaultsLogged = 10

/** Options of the supervisor. */
export interface SupervisorOptions {
  settings: Settings
  world: World
  resolveAgain: ReloadDeps['resolveAgain']
  /** Keys of the configuration with the values in force and their sources. */
  describeConfig: (inForce: Settings) => Promise<EffectiveKey[]>
  /** Whether run_dir belongs to this run alone, and is removed with it. */
  removesRunDir?: boolean
  /** Called when startup is over. */
  onServing?: (serving: Serving) => Promise<void>
}

/** Interface to a run that serves. */
export interface Serving extends Pick<CommandDeps, 'run' | 'apps' | 'front'> {
  send: SendCommand
  /** Writes a line to stderr. */
  write(line: string): void
}

/** Runs everything until a stop; settles with the exit code. */
export async function runSupervisor({
  settings,
  world,
  resolveAgain,
  describeConfig,
  removesRunDir = false,
  onServing,
}: SupervisorOptions): Promise<number> {
  let stdout = createOutput(1)
  let stderr = createOutput(2)
  const write = (line: string) => stderr.write(line)
  const { log_format: format, log_level: level, logs } = settings.config
  const { record, observe } = createRunRecord(systemClock, settings.config)
  const log = createLog({ format: lineFormat(format), level, now: systemClock.now, write, observe })
  const stopRequested = createSignal<StopReason>()
  const hurried = createSignal<void>()
  const served = createSignal<CommandDeps | undefined>()
  let isHurried = false
  let isStarted = false
  const run = createRun(settings, log)
  const releaseLogs = logs.files ? await claimLogs(logs.files.directory, settings.config.run_dir) : () => {}
  const opened =
    logs.files || logs.overflow === 'drop'
      ? (await import('../logs/open-outputs.ts')).openOutputs(logs, { clock: systemClock, log, stdout, stderr })
      : { stdout, stderr, access: stdout, reopen: () => {} }
  stdout = opened.stdout
  stderr = opened.stderr
  if ('metrics' in opened) run.add({ name: 'log outputs', metrics: opened.metrics })
  const commands = createCommandQueue({
    async run(command) {
      const serving = await served.given
      if (!serving) throw new Error('startup did not finish')
      return runCommand(serving, command)
    },
    stop(mode) {
      if (mode === 'quick') {
        isHurried = true
        hurried.give()
      }
      stopRequested.give({ mode, code: exitCode.ok })
      // rejects commands that wait for startup
      served.give(undefined)
    },
    ready: served.given,
    log,
  })
  // in a timer or an event handler: what runs is stopped in order, because it may be in any state
  let faults = 0
  const releaseFaults = receiveFaults(error => {
    faults++
    if (faults > maxFaultsLogged) return
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    log.error('internal error, please report it: everything is stopped', {
      error: what,
      fix: errnoFix(errnoOf(error) ?? ''),
    })
    stopRequested.give({ mode: 'graceful', code: exitCode.software })
  })
  const releaseWarnings = receiveWarnings(({ name, message }) =>
    log.warn('warning of Node', { name, warning: message }),
  )
  const releaseSignals = receiveSignals((command, from) => void commands.push(command, from), {
    isInterruptGraceful: stopsOnInterrupt(settings.config.platform),
  })
  let hooks: HookRunner | undefined
  let nginx: RunningNginx | undefined
  const stopFor = (reason: StopReason) =>
    stop(
      {
        clock: systemClock,
        log,
        run,
        hooks,
        isServing: nginx?.isStarted() ?? false,
        mayHaveBeenReady: isStarted || readiness(run.health()).status === 200,
        hurried: hurried.given,
      },
      reason,
    )

  const failure: StopReason = { mode: 'quick', code: exitCode.software }
  const started = start({
    world,
    log,
    stdout,
    stderr,
    outputs: opened,
    record,
    run,
    send: commands.push,
    resolveAgain,
    describeConfig: () => describeConfig(run.settings()),
    removesRunDir,
    endRun: code => stopRequested.give({ mode: 'graceful', code }),
    onHooks(opened) {
      hooks = opened
    },
    onNginx(opened) {
      nginx = opened
    },
  }).then(
    async serving => {
      isStarted = true
      if (serving) await onServing?.({ ...serving, send: commands.push, write })
      served.give(serving)
      return stopRequested.given
    },
    (thrown: unknown): StopReason => {
      const error = asOperatorError(thrown)
      if (!(error instanceof OperatorError)) throw error
      log.error(error.message, { fix: error.fix })
      return { ...failure, code: error.code }
    },
  )
  try {
    const reason = await Promise.race([started, stopRequested.given])
    await stopFor(reason)
    const code = faults > 0 ? exitCode.software : reason.code
    log.info('stopped', { code })
    return code
  } catch (error) {
    await stopFor(failure)
    throw error
  } finally {
    releaseSignals()
    const timeoutMs = isHurried ? hurriedEndMs : undefined
    const written = await Promise.all([stdout.end(timeoutMs), stderr.end(timeoutMs)])
    releaseLogs()
    if (written.includes(false)) exitWithBlockedWrites()
    releaseFaults()
    releaseWarnings()
  }
}

/** Claims the directory of log files. Throws an OperatorError if another user controls it, or another instance has it. */
async function claimLogs(directory: string, runDir: string): Promise<() => void> {
  expectTrustedDirectory({ key: 'logs.files.directory', path: directory })
  return (await import('../logs/adapters/directory-claim.ts')).claimLogDirectory(directory, runDir)
}

/** Promise with the function that settles it. */
function createSignal<T>(): { given: Promise<T>; give: (value: T) => void } {
  let give: (value: T) => void = () => {}
  const given = new Promise<T>(resolve => {
    give = resolve
  })
  return { given, give }
}
