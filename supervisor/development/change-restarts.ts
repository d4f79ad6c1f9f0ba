import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'

/** Time without changes before a restart: editors and build tools write several files, or one in several steps. */
const quietMs = 100
/** Time that a booting worker still gets after a further change. */
const bootPatienceMs = 2000
/** Time after a restart in which a change may come from the app itself. */
const echoMs = 1000
/** Number of such changes in a row after which the file is ignored. */
const maxEchoes = 5

/** Dependencies of the change restarts. */
export interface ChangeRestartsDeps {
  clock: Clock
  log: Log
  command: (command: Command) => Promise<Outcome>
  /** Kills the replacements that are not ready yet. */
  killBooting: () => void
  /** Whether every app has a serving worker. */
  isServing: () => boolean
}

/** A changed file and the command that it requires. */
export interface FileChange {
  path: string
  command: { type: 'reload' } | { type: 'restart'; target: string }
}

/** Receiver of file changes, which restarts what they affect. */
export interface ChangeRestarts {
  changed(change: FileChange): void
  stop(): void
}

/** Restarts workers after file changes, one restart at a time. Changes during a restart are combined into the next one. */
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
    else if (changes.length === 0) log.info(deps.isServing() ? 'the old version keeps serving' : 'waiting for a change')
    isActing = false
    actedAt = clock.monotonic()
    if (changes.length > 0) actSoon()
  }

  /** Whether to ignore a change: a file that the app writes at startup would restart it forever. */
  function isEcho(change: FileChange): boolean {
    const key = JSON.stringify(change)
    const isSoon = isActing || clock.monotonic() - actedAt < echoMs
    const count = isSoon ? (echoes.get(key) ?? 0) + 1 : 0
    echoes.set(key, count)
    if (count === maxEchoes) log.warn('file ignored: it changes with every restart', { file: change.path })
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

/** One command that covers several changes. */
function commandFor(changes: readonly FileChange[]): Command {
  const [first, ...others] = new Map(changes.map(({ command }) => [JSON.stringify(command), command])).values()
  const reload = changes.find(({ command }) => command.type === 'reload')
  return reload?.command ?? (first && others.length === 0 ? first : { type: 'restart' })
}

function describe(changes: readonly FileChange[]): string {
  const [first, ...others] = new Set(changes.map(({ path }) => path))
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`
}
