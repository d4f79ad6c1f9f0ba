import { onTicks, restTickMs } from '../base/clock.ts'
import { gauge, type Metric } from '../base/metrics.ts'
import type { Runtime } from '../base/runtime.ts'

/** Looks in a row after which a stopped process counts as frozen: a debugger stops one for a moment. */
const stoppedLooks = 2

/** Sight of a process of nginx. */
export interface ProcessSight {
  pid: number
  /** One letter, as in proc(5). */
  state: string
  /** Number of times that it has waited for something. */
  waits: number
}

/** Dependencies of the watch. */
export interface FrozenProcessesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The master and its children. */
  look(): readonly ProcessSight[]
  /** Whether a process may sleep for long, because it no longer accepts connections. */
  maySleep(pid: number): boolean
  /** Whether every worker waits at least once between two looks, because it has a timer. */
  hasTimer: boolean
}

/** Whether it runs, or is blocked in the kernel. */
const isActive = ({ state }: ProcessSight) => /[RD]/.test(state)

interface Seen extends ProcessSight {
  stoppedLooks: number
  /** Whether it has waited for nothing since the last look. */
  isStuck: boolean
}

/**
 * Watch for processes of nginx that are frozen: stopped by a signal, or blocked in the kernel or in a loop. Their connections hang, while
 * other workers serve new ones, so that health checks notice nothing.
 */
export function watchFrozenProcesses({ clock, log, look, maySleep, hasTimer }: FrozenProcessesDeps) {
  let seen = new Map<number, Seen>()
  let frozen = new Map<number, string>()

  function judge(sight: ProcessSight): Seen {
    const before = seen.get(sight.pid)
    const isStopped = /[tT]/.test(sight.state)
    const hasNotWaited = before?.waits === sight.waits && (hasTimer || (isActive(before) && isActive(sight)))
    return {
      ...sight,
      stoppedLooks: isStopped ? (before?.stoppedLooks ?? 0) + 1 : 0,
      isStuck: hasNotWaited && !maySleep(sight.pid),
    }
  }

  function poll(): void {
    const present = look().map((sight, index) => ({ isMaster: index === 0, ...judge(sight) }))
    seen = new Map(present.map(one => [one.pid, one]))
    const found = new Map<number, string>()
    for (const one of present) {
      const { pid, isMaster } = one
      const what = isMaster ? 'master' : 'worker'
      if (one.stoppedLooks >= stoppedLooks) found.set(pid, `the nginx ${what} ${pid} is stopped`)
      else if (one.isStuck && !isMaster)
        found.set(pid, `the nginx ${what} ${pid} is stuck or overloaded (state ${one.state})`)
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
  }

  const close = onTicks(clock, restTickMs, poll)
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
