import type { Exit } from './exit.ts'
import type { StopCause } from './process-state.ts'

/**
 * State of one worker slot, an entry in nginx's upstream that a worker serves. Workers of a slot have increasing numbers, none of which is
 * used twice. `failures` counts fast failures in a row; from `withdrawAfter` on, the slot is withdrawn from nginx.
 */
export type SlotState =
  | { name: 'idle' }
  /** `isWaking`: requests wait for it, because the slot was asleep. */
  | { name: 'booting'; worker: number; failures: number; isWaking?: true }
  /** `newest`: number of a replacement that was refused, and may still drain. */
  | { name: 'serving'; worker: number; failures: number; readyAt: number; newest?: number }
  /** `nextReadyAt`: time at which the new worker became ready. The old one stays until the replacement is accepted. */
  | { name: 'replacing'; worker: number; next: number; failures: number; readyAt: number; nextReadyAt?: number }
  | { name: 'waiting'; failures: number; lastWorker: number }
  /** Without a worker until a request comes. nginx keeps the slot. */
  | { name: 'asleep'; lastWorker: number }

/** Event in the life of a slot. */
export type SlotEvent =
  | { type: 'started' }
  | { type: 'becameReady'; worker: number; at: number }
  | { type: 'ended'; worker: number; blame: Blame; at: number }
  | { type: 'retryDue' }
  /** Its worker was idle for long enough. */
  | { type: 'fellAsleep' }
  /** A request waits while it is asleep. */
  | { type: 'woken' }
  | { type: 'replacementRequested' }
  /** The worker was stopped before its replacement starts. */
  | { type: 'stoppedFirst' }
  /** The new worker takes over, and the old one drains. */
  | { type: 'replacementAccepted' }
  /** The old worker stays, and the new one drains. */
  | { type: 'replacementRefused' }

/** Cause of an end. A SIGKILL from outside says nothing about the worker. */
export type Blame = 'worker' | 'outside'

/** Blame for an exit. `cause` is monohull's reason for ending the worker, if any. A worker that the OOM killer ended has failed by itself. */
export function blameFor(exit: Exit, cause: StopCause | undefined): Blame {
  const wasKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL' && !exit.isOutOfMemory
  return wasKilled && cause === undefined ? 'outside' : 'worker'
}

/** Action that a transition requires. */
export type SlotEffect =
  | { type: 'spawn'; worker: number }
  | { type: 'stop'; worker: number }
  /** Stops a worker whose address belongs to the next one already. */
  | { type: 'rest'; worker: number }
  | { type: 'retry'; failures: number }
  | { type: 'withdraw' }
  | { type: 'restore' }
  /** A started worker has become ready. */
  | { type: 'readied'; worker: number }
  | { type: 'decided'; worker: number; decision: Decision }

/** Reaction to a worker that ended by itself. */
export type Decision =
  | 'restarted at once'
  | 'restarted after backoff'
  | 'slot withdrawn, retried after backoff'
  | 'left until the next change'
  | 'replaced at once'
  | 'replacement abandoned'

/** Policy for failures of a slot. */
export interface SlotPolicy {
  /** Serving time after which an end is not a fast failure. */
  minUptimeMs: number
  /** Fast failures in a row after which the slot is withdrawn. */
  withdrawAfter: number
  /** Whether a fast failure is followed by a retry, or only by a requested replacement. */
  afterFailure: 'retry' | 'wait'
}

/** New state and the actions that lead to it. */
export interface SlotStep {
  state: SlotState
  effects: SlotEffect[]
}

/** State after an event, as a pure function. */
export function stepSlot(state: SlotState, event: SlotEvent, policy: SlotPolicy): SlotStep {
  const stay: SlotStep = { state, effects: [] }
  switch (event.type) {
    case 'started':
      return state.name === 'idle' ? boot(1, 0) : stay
    case 'retryDue':
      return state.name === 'waiting' ? boot(state.lastWorker + 1, state.failures) : stay
    case 'fellAsleep': {
      if (state.name !== 'serving') return stay
      const { worker, newest: lastWorker = worker } = state
      return { state: { name: 'asleep', lastWorker }, effects: [{ type: 'rest', worker }] }
    }
    case 'woken': {
      if (state.name !== 'asleep') return stay
      const worker = state.lastWorker + 1
      return { state: { name: 'booting', worker, failures: 0, isWaking: true }, effects: [{ type: 'spawn', worker }] }
    }
    case 'becameReady':
      return ready(state, event)
    case 'ended':
      return ended(state, event, policy)
    case 'replacementRequested':
      if (state.name === 'serving') {
        const { newest = state.worker, ...serving } = state
        const next = newest + 1
        return { state: { ...serving, name: 'replacing', next }, effects: [{ type: 'spawn', worker: next }] }
      }
      if (state.name === 'waiting') return boot(state.lastWorker + 1, state.failures)
      if (state.name === 'asleep') return boot(state.lastWorker + 1, 0)
      if (state.name === 'booting') {
        const next = boot(state.worker + 1, state.failures)
        return { state: next.state, effects: [{ type: 'stop', worker: state.worker }, ...next.effects] }
      }
      return stay
    case 'stoppedFirst':
      return state.name === 'serving'
        ? { state: { name: 'waiting', failures: 0, lastWorker: state.worker }, effects: [] }
        : stay
    case 'replacementAccepted':
      if (state.name !== 'replacing' || state.nextReadyAt === undefined) return stay
      return {
        state: { name: 'serving', worker: state.next, failures: 0, readyAt: state.nextReadyAt },
        effects: [{ type: 'stop', worker: state.worker }],
      }
    case 'replacementRefused': {
      if (state.name !== 'replacing') return stay
      const { next, nextReadyAt: _, ...old } = state
      return { state: { ...old, name: 'serving', newest: next }, effects: [{ type: 'stop', worker: next }] }
    }
  }
}

/** Workers that the slot currently uses. */
export function workersOf(state: SlotState): number[] {
  switch (state.name) {
    case 'booting':
    case 'serving':
      return [state.worker]
    case 'replacing':
      return [state.worker, state.next]
    case 'idle':
    case 'waiting':
    case 'asleep':
      return []
  }
}

function boot(worker: number, failures: number): SlotStep {
  return { state: { name: 'booting', worker, failures }, effects: [{ type: 'spawn', worker }] }
}

function ready(state: SlotState, { worker, at }: { worker: number; at: number }): SlotStep {
  if (state.name === 'booting' && state.worker === worker) {
    return {
      state: { name: 'serving', worker, failures: state.failures, readyAt: at },
      effects: [{ type: 'restore' }, { type: 'readied', worker }],
    }
  }
  if (state.name === 'replacing' && state.next === worker) {
    return { state: { ...state, nextReadyAt: at }, effects: [{ type: 'readied', worker }] }
  }
  return { state, effects: [] }
}

function ended(state: SlotState, event: Extract<SlotEvent, { type: 'ended' }>, policy: SlotPolicy): SlotStep {
  const { worker } = event
  if (state.name === 'replacing' && worker === state.next) {
    return {
      state: {
        name: 'serving',
        worker: state.worker,
        failures: state.failures,
        readyAt: state.readyAt,
        newest: state.next,
      },
      effects: [{ type: 'decided', worker, decision: 'replacement abandoned' }],
    }
  }
  if (state.name === 'replacing' && worker === state.worker) {
    const { next, nextReadyAt, failures } = state
    if (nextReadyAt !== undefined) {
      return {
        state: { name: 'serving', worker: next, failures, readyAt: nextReadyAt },
        effects: [{ type: 'decided', worker, decision: 'replaced at once' }, { type: 'restore' }],
      }
    }
    return {
      state: { name: 'booting', worker: next, failures },
      effects: [{ type: 'decided', worker, decision: 'restarted at once' }],
    }
  }
  if ((state.name !== 'booting' && state.name !== 'serving') || worker !== state.worker) return { state, effects: [] }

  const failures = failuresAfter(state, event, policy)
  const lastWorker = (state.name === 'serving' && state.newest) || worker
  const next: SlotState = { name: 'waiting', failures, lastWorker }
  if (failures > 0 && policy.afterFailure === 'wait') {
    return {
      state: next,
      effects: [{ type: 'decided', worker, decision: 'left until the next change' }, { type: 'withdraw' }],
    }
  }
  // nobody else serves what waits for a worker that was to wake the app
  const isAlone = state.name === 'booting' && state.isWaking === true
  const effects: SlotEffect[] =
    isAlone || failures >= policy.withdrawAfter
      ? [{ type: 'decided', worker, decision: 'slot withdrawn, retried after backoff' }, { type: 'withdraw' }]
      : [{ type: 'decided', worker, decision: failures === 0 ? 'restarted at once' : 'restarted after backoff' }]
  return { state: next, effects: [...effects, { type: 'retry', failures }] }
}

/**
 * Number of fast failures after an end. A worker that served for `minUptimeMs` resets the count. So does one that served and got SIGKILL from
 * outside: its boot is not what fails. A SIGKILL from outside during boot does not count either, but delays the restart, because the
 * kernel's OOM killer looks the same if it is not reported. If it is reported, it counts as a failure.
 */
function failuresAfter(
  state: Extract<SlotState, { name: 'booting' | 'serving' }>,
  event: Extract<SlotEvent, { type: 'ended' }>,
  policy: SlotPolicy,
): number {
  const wasKilled = event.blame === 'outside'
  if (state.name === 'serving' && (wasKilled || event.at - state.readyAt >= policy.minUptimeMs)) return 0
  if (state.name === 'booting' && wasKilled) return Math.max(1, state.failures)
  return state.failures + 1
}
