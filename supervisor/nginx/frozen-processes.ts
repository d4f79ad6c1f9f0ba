import { gauge, type Metric } from '../base/metrics.ts'
import type { Runtime } from '../base/runtime.ts'

const everyMs = 2000
/** Looks in a row after which a process that does not go on counts as frozen. */
const stuckLooks = 5
/** The same for a stopped process: a debugger stops one for a moment. */
const stoppedLooks = 2

/** Sight of a process of nginx. */
export interface ProcessSight {
  pid: number
  /** One letter, as in proc(5). */
  state: string
  /** Number of times that it has waited for something; undefined if it may sleep for long. */
  waits: number | undefined
}

/** Dependencies of the watch. */
export interface FrozenProcessesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The master and its children. */
  look(): readonly ProcessSight[]
  /** Whether every worker waits at least once between two looks, because it has a timer. */
  hasTimer: boolean
}

interface Seen extends ProcessSight {
  stoppedLooks: number
  stuckLooks: number
}

/**
 * Watch for processes of nginx that are frozen: stopped by a signal, or blocked in the kernel or in a loop. Their connections hang, while
 * other workers serve new ones, so that health checks notice nothing.
 */
export function watchFrozenProcesses({ clock, log, look, hasTimer }: FrozenProcessesDeps) {
  let seen = new Map<number, Seen>()
  let frozen = new Map<number, string>()
  let cancel = () => {}

  function judge(sight: ProcessSight): Seen {
    const before = seen.get(sight.pid)
    const isStopped = /[tT]/.test(sight.state)
    const isStuck = sight.waits !== undefined && before?.waits === sight.waits && (hasTimer || /[RD]/.test(sight.state))
    return {
      ...sight,
      stoppedLooks: isStopped ? (before?.stoppedLooks ?? 0) + 1 : 0,
      stuckLooks: isStuck ? (before?.stuckLooks ?? 0) + 1 : 0,
    }
  }

  function poll(): void {
    const present = look().map((sight, index) => ({ isMaster: index === 0, ...judge(sight) }))
    seen = new Map(present.map(one => [one.pid, one]))
    const found = new Map<number, string>()
    for (const one of present) {
      const { pid, isMaster } = one
      const what = isMaster ? 'master' : 'worker'
      const isStuck = !isMaster && one.stuckLooks >= stuckLooks
      if (one.stoppedLooks >= stoppedLooks) found.set(pid, `the nginx ${what} ${pid} is stopped`)
      else if (isStuck) found.set(pid, `the nginx ${what} ${pid} is stuck or overloaded (state ${one.state})`)
    }
    for (const [pid, problem] of found)
      if (!frozen.has(pid))
        log.error('an nginx process is frozen: its connections hang', {
          pid,
          problem,
          fix: `kill -CONT ${pid} continues a stopped one; kill -KILL ${pid} ends it, and nginx starts another`,
        })
    for (const pid of frozen.keys())
      if (!found.has(pid)) log.info('an nginx process is no longer frozen', { pid, exited: !seen.has(pid) })
    frozen = found
    cancel = clock.after(everyMs, poll)
  }

  cancel = clock.after(everyMs, poll)
  const close = () => cancel()
  return {
    name: 'frozen nginx processes',
    warnings: () => [...frozen.values()].map(problem => `${problem}: its connections hang`),
    metrics: (): Metric[] => [
      gauge('nginx_frozen_processes', 'Processes of nginx that are stopped or stuck', frozen.size),
    ],
    quiesce: close,
    close,
  }
}
