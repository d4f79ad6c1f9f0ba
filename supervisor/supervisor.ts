import { createOutput } from './adapters/output.ts'
import { receiveSignals } from './adapters/signals.ts'
import { runCommand } from './assembly/command.ts'
import type { Parts, StopReason } from './assembly/parts.ts'
import type { Settings, SettingsResult } from './assembly/settings.ts'
import { start } from './assembly/start.ts'
import { stop } from './assembly/stop.ts'
import type { World } from './assembly/world.ts'
import { systemClock } from './base/clock.ts'
import { asOperatorError, exitCode, OperatorError } from './base/errors.ts'
import { createLog } from './base/log.ts'
import { createCommandQueue } from './services/commands.ts'

export interface SupervisorOptions {
  settings: Settings
  world: World
  /** Reads the configuration and looks at the machine again, for a reload. */
  resolveAgain: () => Promise<SettingsResult>
  /** Called when the start is over. */
  onServing?: (parts: Parts) => Promise<void>
}

/** Runs everything until it is told to stop; settles with the exit code. */
export async function runSupervisor({ settings, world, resolveAgain, onServing }: SupervisorOptions): Promise<number> {
  const stdout = createOutput(1)
  const stderr = createOutput(2)
  const { log_format: format, log_level: level } = settings.config
  const log = createLog({ format, level, now: systemClock.now, write: line => stderr.write(line) })
  const stopRequested = createSignal<StopReason>()
  const hurried = createSignal<void>()
  const parts: Parts = {
    world,
    log,
    stdout,
    stderr,
    resolveAgain,
    command: (command, from) => commands.push(command, from),
    requestStop: stopRequested.give,
    settings,
    startedAt: systemClock.monotonic(),
    isServing: false,
    isDraining: false,
    scaled: new Set(),
    front: { http: [], https: [] },
    servers: [],
    pools: new Map(),
    processes: new Map(),
    schedules: [],
  }
  const served = createSignal<void>()
  const commands = createCommandQueue({
    run: command => runCommand(parts, command),
    stop(mode) {
      if (mode === 'quick') hurried.give()
      stopRequested.give({ mode, code: exitCode.ok })
      // what waits for the start is refused now
      served.give()
    },
    ready: served.given,
    log,
  })
  const releaseSignals = receiveSignals((command, from) => void commands.push(command, from))

  const failure: StopReason = { mode: 'quick', code: exitCode.software }
  const started = start(parts, () => parts.isDraining).then(
    async () => {
      await onServing?.(parts)
      served.give()
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
    await stop(parts, reason, hurried.given)
    log.info('stopped', { code: reason.code })
    return reason.code
  } catch (error) {
    await stop(parts, failure, hurried.given)
    throw error
  } finally {
    releaseSignals()
    await Promise.all([stdout.end(), stderr.end()])
  }
}

/** A promise and what settles it. */
function createSignal<T>(): { given: Promise<T>; give: (value: T) => void } {
  let give: (value: T) => void = () => {}
  const given = new Promise<T>(resolve => {
    give = resolve
  })
  return { given, give }
}
