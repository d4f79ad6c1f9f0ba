import type { Exit } from './exit.ts'

/** State of one child process. A timer that fires late finds another state and does nothing. */
export type ProcessState =
  | { name: 'booting'; startedAt: number }
  | { name: 'ready'; startedAt: number; readyAt: number }
  | { name: 'stopping'; startedAt: number; readyAt: number | undefined; cause: StopCause }
  | { name: 'killed'; startedAt: number; readyAt: number | undefined; cause: StopCause }
  /** The process has exited, but others of its group have not. */
  | { name: 'remnant'; startedAt: number; readyAt: number | undefined; cause: StopCause | undefined; exit: Exit }
  | { name: 'gone'; startedAt: number; readyAt: number | undefined; cause: StopCause | undefined; exit: Exit }

/** Reason why monohull ends a process: a request, a boot timeout, or a hang. */
export type StopCause = 'requested' | 'boot timeout' | 'hung'

/** Event in the life of a process. */
export type ProcessEvent =
  | { type: 'becameReady'; at: number }
  | { type: 'bootDeadlinePassed' }
  | { type: 'stopRequested' }
  /** abort: SIGABRT first, on which many programs print a stack trace; stop: the stop signal first. */
  | { type: 'hangFound'; ending: 'abort' | 'kill' | 'stop' }
  | { type: 'graceDeadlinePassed' }
  /** `groupAlive`: others of its group are still running, and must end with it; `drains`: they may finish what they do. */
  | { type: 'exited'; exit: Exit; groupAlive: boolean; drains?: boolean }
  | { type: 'groupEnded' }

/** Action that a transition requires. */
export type ProcessEffect =
  | { type: 'signal'; to: 'process' | 'group'; signal: 'stop' | 'abort' | 'kill' }
  | { type: 'arm'; timer: 'grace' }
  | { type: 'disarm'; timer: 'boot' | 'grace' }
  | { type: 'watchGroup' }
  | { type: 'announce'; state: 'ready' | 'gone' }

/** New state and the actions that lead to it. */
export interface ProcessStep {
  state: ProcessState
  effects: ProcessEffect[]
}

/** State after an event, as a pure function. */
export function stepProcess(state: ProcessState, event: ProcessEvent): ProcessStep {
  const stay: ProcessStep = { state, effects: [] }
  switch (event.type) {
    case 'becameReady':
      if (state.name !== 'booting') return stay
      return {
        state: { name: 'ready', startedAt: state.startedAt, readyAt: event.at },
        effects: [
          { type: 'disarm', timer: 'boot' },
          { type: 'announce', state: 'ready' },
        ],
      }
    case 'bootDeadlinePassed':
      return state.name === 'booting' ? stopping(state, 'boot timeout') : stay
    case 'stopRequested':
      return state.name === 'booting' || state.name === 'ready' ? stopping(state, 'requested') : stay
    case 'graceDeadlinePassed':
      if (state.name === 'remnant') return { state, effects: [{ type: 'signal', to: 'group', signal: 'kill' }] }
      return state.name === 'stopping' ? killed(state, state.cause) : stay
    case 'hangFound':
      if (state.name !== 'ready') return stay
      return event.ending === 'kill' ? killed(state, 'hung') : stopping(state, 'hung', event.ending)
    case 'exited':
      return exited(state, event)
    case 'groupEnded':
      if (state.name !== 'remnant') return stay
      return {
        state: { ...state, name: 'gone' },
        effects: [
          { type: 'disarm', timer: 'grace' },
          { type: 'announce', state: 'gone' },
        ],
      }
  }
}

type Alive = Extract<ProcessState, { name: 'booting' | 'ready' | 'stopping' }>

function readyAtOf(state: ProcessState): number | undefined {
  return state.name === 'booting' ? undefined : state.readyAt
}

function stopping(state: Alive, cause: StopCause, signal: 'stop' | 'abort' = 'stop'): ProcessStep {
  return {
    state: { name: 'stopping', startedAt: state.startedAt, readyAt: readyAtOf(state), cause },
    effects: [
      { type: 'disarm', timer: 'boot' },
      { type: 'signal', to: 'process', signal },
      { type: 'arm', timer: 'grace' },
    ],
  }
}

function killed(state: Alive, cause: StopCause): ProcessStep {
  return {
    state: { name: 'killed', startedAt: state.startedAt, readyAt: readyAtOf(state), cause },
    effects: [
      { type: 'disarm', timer: 'boot' },
      { type: 'disarm', timer: 'grace' },
      { type: 'signal', to: 'group', signal: 'kill' },
    ],
  }
}

function exited(
  state: ProcessState,
  { exit, groupAlive, drains }: Extract<ProcessEvent, { type: 'exited' }>,
): ProcessStep {
  if (state.name === 'remnant' || state.name === 'gone') return { state, effects: [] }
  const cause = state.name === 'stopping' || state.name === 'killed' ? state.cause : undefined
  const base = { startedAt: state.startedAt, readyAt: readyAtOf(state), cause, exit }
  if (!groupAlive) {
    return {
      state: { name: 'gone', ...base },
      effects: [
        { type: 'disarm', timer: 'boot' },
        { type: 'disarm', timer: 'grace' },
        { type: 'announce', state: 'gone' },
      ],
    }
  }
  return {
    state: { name: 'remnant', ...base },
    effects: [{ type: 'disarm', timer: 'boot' }, ...endRest(state.name, drains === true), { type: 'watchGroup' }],
  }
}

/** Effects that end the rest of a group, by the state that the process exited in. */
function endRest(name: ProcessState['name'], drains: boolean): ProcessEffect[] {
  if (name === 'stopping') return [{ type: 'signal', to: 'group', signal: 'stop' }]
  if (name !== 'ready' || !drains) return [{ type: 'signal', to: 'group', signal: 'kill' }]
  return [
    { type: 'signal', to: 'group', signal: 'stop' },
    { type: 'arm', timer: 'grace' },
  ]
}

/** Reason why a worker ended, for programs to read: monohull's reason for ending it, otherwise `out of memory` or `died`. */
export function endReason(cause: StopCause | undefined, exit: Exit): string {
  if (cause !== undefined) return cause
  return exit.kind === 'signal' && exit.isOutOfMemory ? 'out of memory' : 'died'
}
