import type { Clock } from '../base/clock.ts'
import type { Child } from './child.ts'
import type { Exit } from './exit.ts'
import {
  type ProcessEffect,
  type ProcessEvent,
  type ProcessState,
  type StopCause,
  stepProcess,
} from './process-state.ts'

const groupWatchMs = 20
const abortGraceMs = 1000
const signals = { abort: 'SIGABRT', kill: 'SIGKILL' } as const

/** Signals and timeouts of a process. */
export interface ProcessPolicy {
  stopSignal: NodeJS.Signals
  bootTimeoutMs: number
  graceMs: number
  /** Whether the rest of the process group is ended with the process. nginx's workers keep serving without their master. */
  endsGroup: boolean
  /** Whether that rest may finish what it does, as in a stop, if the process dies while it is ready. Default: it is killed. */
  drainsGroup?: boolean
}

/** End of a process. */
export interface Ending {
  exit: Exit
  wasReady: boolean
  /** Monohull's reason for ending it; undefined if it ended by itself. */
  cause: StopCause | undefined
  uptimeMs: number
  /** Time since it became ready; 0 if it never did. */
  servedMs: number
}

/** Child with a lifecycle: readiness, a stop with a deadline, and the end of its whole process group. */
export interface ManagedProcess {
  readonly child: Child
  state(): ProcessState
  markReady(): void
  /** Sends the stop signal, and SIGKILL to the group after `graceMs` (default: the policy's). A second stop can only shorten that. */
  stop(graceMs?: number): void
  /** Ends a ready process that hangs: with SIGKILL to the group, with SIGABRT first, or as `stop` does. */
  endHung(ending: 'abort' | 'kill' | 'stop'): void
  /** Settles when the process and its group have ended. */
  readonly ended: Promise<Ending>
}

/** Dependencies of `manageProcess`. */
export interface ManagedProcessDeps {
  child: Child
  clock: Clock
  policy: ProcessPolicy
  onReady: () => void
  /** Called before a process that did not become ready is stopped, while it can still be inspected. */
  onBootTimeout?: () => void
}

/** Manages a child that has just been started. */
export function manageProcess({ child, clock, policy, onReady, onBootTimeout }: ManagedProcessDeps): ManagedProcess {
  const startedAt = clock.monotonic()
  let state: ProcessState = { name: 'booting', startedAt }
  let graceMs = policy.graceMs
  let killAt = Number.POSITIVE_INFINITY
  const timers = new Map<string, () => void>()
  let settle: (ending: Ending) => void
  const ended = new Promise<Ending>(resolve => {
    settle = resolve
  })

  const armGrace = () => {
    disarm('grace')
    killAt = Math.min(killAt, clock.monotonic() + graceMs)
    timers.set(
      'grace',
      clock.after(killAt - clock.monotonic(), () => dispatch({ type: 'graceDeadlinePassed' })),
    )
  }
  const disarm = (timer: string) => {
    timers.get(timer)?.()
    timers.delete(timer)
  }

  function dispatch(event: ProcessEvent): void {
    const step = stepProcess(state, event)
    state = step.state
    for (const effect of step.effects) perform(effect)
  }

  function perform(effect: ProcessEffect): void {
    switch (effect.type) {
      case 'signal': {
        const signal = effect.signal === 'stop' ? policy.stopSignal : signals[effect.signal]
        if (effect.to === 'group') child.signalGroup(signal)
        else child.signal(signal)
        return
      }
      case 'arm':
        armGrace()
        return
      case 'disarm':
        disarm(effect.timer)
        return
      case 'watchGroup':
        watchGroup()
        return
      case 'announce':
        if (effect.state === 'ready') onReady()
        else settle(endingOf(state, clock.monotonic()))
    }
  }

  function watchGroup(): void {
    if (child.groupAlive()) clock.after(groupWatchMs, watchGroup)
    else dispatch({ type: 'groupEnded' })
  }

  void child.exited.then(exit => {
    const groupAlive = policy.endsGroup && child.groupAlive()
    dispatch({ type: 'exited', exit, groupAlive, drains: policy.drainsGroup ?? false })
  })
  timers.set(
    'boot',
    clock.after(policy.bootTimeoutMs, () => {
      if (state.name === 'booting') onBootTimeout?.()
      dispatch({ type: 'bootDeadlinePassed' })
    }),
  )

  return {
    child,
    ended,
    state: () => state,
    markReady: () => dispatch({ type: 'becameReady', at: clock.monotonic() }),
    endHung(ending) {
      if (state.name === 'ready' && ending !== 'stop') graceMs = abortGraceMs
      dispatch({ type: 'hangFound', ending })
    },
    stop(overrideMs) {
      graceMs = overrideMs ?? policy.graceMs
      if (state.name === 'stopping' || state.name === 'remnant') armGrace()
      dispatch({ type: 'stopRequested' })
    },
  }
}

function endingOf(state: ProcessState, now: number): Ending {
  if (state.name !== 'gone') throw new Error(`cannot describe the end of a process that is ${state.name}`)
  return {
    exit: state.exit,
    wasReady: state.readyAt !== undefined,
    cause: state.cause,
    uptimeMs: now - state.startedAt,
    servedMs: state.readyAt === undefined ? 0 : now - state.readyAt,
  }
}
