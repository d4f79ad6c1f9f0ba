import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'

/** Time without changes before a restart: editors and build tools write several files, or one in several steps. */
const quietMs = 100
/** Time after which changes of other files no longer delay a restart. */
const maxUnquietMs = 1000
/** Time that a booting worker still gets after a further change. */
const bootPatienceMs = 2000
/** Time after a restart in which a change may come from the app itself. */
const echoMs = 1000
/** Restarts in a row that a file changed in, after which a log line names it. */
const echoesToReport = 5

/** Dependencies of the change restarts. */
export interface ChangeRestartsDeps {
  clock: Clock
  log: Log
  command: (command: Command) => Promise<Outcome>
  /** Kills the replacements that are not ready yet. */
  killBooting: () => void
  /** Whether every app has a serving worker. */
  isServing: () => boolean
  /** Text that differs if the content of a file differs. */
  fingerprint: (file: string) => string
}

/** Command that a change requires. */
export type ChangeCommand = { type: 'reload' } | { type: 'restart'; target?: string }

/** A changed file and the commands that it requires. */
export interface FileChange {
  /** Path for the log. */
  path: string
  /** Absolute path. */
  file: string
  commands: readonly ChangeCommand[]
}

/** Receiver of file changes, which restarts what they affect. */
export interface ChangeRestarts {
  changed(change: FileChange): void
  /** Records the content that the running programs have loaded, unless the file has changed since. */
  loaded(file: string, fingerprint: string): void
  stop(): void
}

/** Change that waits for a restart. */
interface Pending {
  change: FileChange
  dueAt: number
  /** Whether it came during a restart or right after it, perhaps from the app. */
  isEcho: boolean
}

/**
 * Restarts workers after file changes, one restart at a time. Changes during a restart are combined into the next one, and none is
 * dropped: the last state of the disk wins. A file that changes in each restart, because the app writes it, waits twice as long
 * each time, so that it does not restart the app forever.
 */
export function createChangeRestarts(deps: ChangeRestartsDeps): ChangeRestarts {
  const { clock, log } = deps
  const pending = new Map<string, Pending>()
  /** Contents at the beginning of the last restart. */
  const contents = new Map<string, string>()
  /** Restarts in a row that a file changed in. */
  const echoes = new Map<string, number>()
  let isActing = false
  let hasFailed = false
  let actedAt = Number.NEGATIVE_INFINITY
  /** Time of the first change that is pending. */
  let quietSince = 0
  let cancelAct = () => {}
  let cancelKillBooting = () => {}

  async function act(): Promise<void> {
    if (isActing) return
    isActing = true
    const changes = takeChanges()
    if (changes.length > 0) {
      const commands = commandsFor(changes)
      const verb = commands[0]?.type ?? 'restart'
      log.info(`changed: ${describe(changes)}, ${verb}ing`)
      const startedAt = clock.monotonic()
      let isDone = true
      for (const command of commands) isDone = (await deps.command(command)).ok && isDone
      cancelKillBooting()
      cancelKillBooting = () => {}
      hasFailed = !isDone
      if (isDone) log.info(`${verb}ed`, { ms: clock.monotonic() - startedAt })
      else if (pending.size === 0) log.info(deps.isServing() ? 'the old version keeps serving' : 'waiting for a change')
      actedAt = clock.monotonic()
    }
    isActing = false
    actWhenDue()
  }

  /** Pending changes of contents. After a failure, any save is a request to try again. */
  function takeChanges(): FileChange[] {
    const mustTry = hasFailed || !deps.isServing()
    const reported: string[] = []
    const taken = [...pending].flatMap(([file, { change, isEcho }]) => {
      const fingerprint = deps.fingerprint(file)
      if (!mustTry && contents.get(file) === fingerprint) return []
      contents.set(file, fingerprint)
      const count = isEcho ? echoesOf(file) + 1 : 0
      echoes.set(file, count)
      if (count === echoesToReport) reported.push(change.path)
      return [{ change, count }]
    })
    pending.clear()
    if (reported.length > 0)
      log.warn('files change with every restart, so they restart the app less and less often', {
        files: summary(reported),
        fix: 'if the app writes them, add them to dev.ignore',
      })
    const own = taken.filter(({ count }) => count < echoesToReport)
    return (own.length > 0 ? own : taken).map(({ change }) => change)
  }

  function echoesOf(file: string): number {
    return echoes.get(file) ?? 0
  }

  function actWhenDue(): void {
    cancelAct()
    if (isActing || pending.size === 0) return
    const now = clock.monotonic()
    const dueAt = [...pending.values()].reduce(
      (earliest, one) => Math.min(earliest, one.dueAt),
      Number.POSITIVE_INFINITY,
    )
    const at = Math.max(dueAt, Math.min(now + quietMs, quietSince + maxUnquietMs))
    cancelAct = clock.after(Math.max(0, at - now), () => void act())
  }

  return {
    changed(change) {
      const { file } = change
      const isEcho = isActing || clock.monotonic() - actedAt < echoMs
      const delayMs = isEcho ? quietMs * 2 ** echoesOf(file) : quietMs
      if (isActing && pending.size === 0 && delayMs <= 2 * quietMs)
        cancelKillBooting = clock.after(bootPatienceMs, deps.killBooting)
      if (pending.size === 0) quietSince = clock.monotonic()
      pending.set(file, { change, dueAt: clock.monotonic() + delayMs, isEcho })
      actWhenDue()
    },
    loaded(file, fingerprint) {
      if (!pending.has(file) && !contents.has(file)) contents.set(file, fingerprint)
    },
    stop() {
      cancelAct()
      cancelKillBooting()
      pending.clear()
    },
  }
}

/** Commands for several changes: one reload, or the restart of each program that is affected, and of no other. */
function commandsFor(changes: readonly FileChange[]): ChangeCommand[] {
  const all = changes.flatMap(({ commands }) => commands)
  const reload = all.find(({ type }) => type === 'reload')
  return reload ? [reload] : [...new Map(all.map(command => [JSON.stringify(command), command])).values()]
}

function describe(changes: readonly FileChange[]): string {
  return summary([...new Set(changes.map(({ path }) => path))])
}

function summary([first, ...others]: readonly string[]): string {
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`
}
