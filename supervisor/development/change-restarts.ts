import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'

/** Editors and build tools write several files, or one in several steps. */
const quietMs = 100
/** How long a worker that boots while the next change is there already may go on. */
const bootPatienceMs = 2000
/** What changes this soon after a restart may be its own doing; this many times in a row, it is. */
const echoMs = 1000
const maxEchoes = 5

export interface ChangeRestartsDeps {
  clock: Clock
  log: Log
  command: (command: Command) => Promise<Outcome>
  /** Ends the replacements that are not ready yet. */
  killBooting: () => void
  /** Whether every app has a worker that serves. */
  isServing: () => boolean
}

/** A changed file, and what it calls for. */
export interface FileChange {
  path: string
  command: { type: 'reload' } | { type: 'restart'; target: string }
}

export interface ChangeRestarts {
  changed(change: FileChange): void
  stop(): void
}

/** Restarts the workers after a change, one restart at a time; what changes meanwhile is taken together by the next. */
export function createChangeRestarts(deps: ChangeRestartsDeps): ChangeRestarts {
  const { clock, log } = deps
  let changes: FileChange[] = []
  const echoes = new Map<string, number>()
  let isActing = false
  let actedAt = Number.NEGATIVE_INFINITY
  let cancelAct = () => {}
  let cancelKillBooting = () => {}

  async function act(): Promise<void> {
    if (isActing) return
    isActing = true
    const command = commandFor(changes)
    log.info(`changed: ${describe(changes)}, ${command.type}ing`)
    changes = []
    const startedAt = clock.monotonic()
    const outcome = await deps.command(command)
    cancelKillBooting()
    cancelKillBooting = () => {}
    if (outcome.ok) log.info(`${command.type}ed`, { ms: clock.monotonic() - startedAt })
    else if (changes.length === 0) log.info(deps.isServing() ? 'the old version serves on' : 'waiting for a change')
    isActing = false
    actedAt = clock.monotonic()
    if (changes.length > 0) actSoon()
  }

  /** A file that the app writes while it starts would restart it for ever. */
  function isEcho(change: FileChange): boolean {
    const key = JSON.stringify(change)
    const isSoon = isActing || clock.monotonic() - actedAt < echoMs
    const count = isSoon ? (echoes.get(key) ?? 0) + 1 : 0
    echoes.set(key, count)
    if (count === maxEchoes) log.warn('left out, since it changes with every restart', { file: change.path })
    return count >= maxEchoes
  }

  function actSoon(): void {
    cancelAct()
    cancelAct = clock.after(quietMs, () => void act())
  }

  return {
    changed(change) {
      if (isEcho(change)) return
      if (isActing && changes.length === 0) cancelKillBooting = clock.after(bootPatienceMs, deps.killBooting)
      changes.push(change)
      actSoon()
    },
    stop() {
      cancelAct()
      cancelKillBooting()
      changes = []
    },
  }
}

/** One command for several changes. */
function commandFor(changes: readonly FileChange[]): Command {
  const [first, ...others] = new Map(changes.map(({ command }) => [JSON.stringify(command), command])).values()
  const reload = changes.find(({ command }) => command.type === 'reload')
  return reload?.command ?? (first && others.length === 0 ? first : { type: 'restart' })
}

function describe(changes: readonly FileChange[]): string {
  const [first, ...others] = new Set(changes.map(({ path }) => path))
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`
}
