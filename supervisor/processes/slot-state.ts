import type { Exit } from './exit.ts'
import type { StopCause } from './process-state.ts'

/**
 * One worker slot: the place in nginx's upstream that a worker fills. Workers are told apart by a number that grows.
 * `failures` counts fast failures in a row; from `withdrawAfter` on, nginx is told to leave the slot out.
 */
export type SlotState =
  | { name: 'idle' }
  | { name: 'booting'; worker: number; failures: number }
  | { name: 'serving'; worker: number; failures: number; readyAt: number }
  /** `nextReadyAt`: the new worker is ready, and the old one stays until that is accepted. */
  | { name: 'replacing'; worker: number; next: number; failures: number; readyAt: number; nextReadyAt?: number }
  | { name: 'waiting'; failures: number; lastWorker: number }

export type SlotEvent =
  | { type: 'started' }
  | { type: 'becameReady'; worker: number; at: number }
  | { type: 'ended'; worker: number; blame: Blame; at: number }
  | { type: 'retryDue' }
  | { type: 'replacementRequested' }
  /** The new worker takes over, and the old one drains. */
  | { type: 'replacementAccepted' }
  /** The old worker stays, whatever the new one does. */
  | { type: 'replacementRefused' }

/** Whose doing an end was: somebody outside who sent SIGKILL says nothing about the worker. */
export type Blame = 'worker' | 'outside'

/** `cause`: why monohull ended it, if it did. What the OOM killer ended has failed by itself. */
export function blameFor(exit: Exit, cause: StopCause | undefined): Blame {
  const wasKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL' && !exit.isOutOfMemory
  return wasKilled && cause === undefined ? 'outside' : 'worker'
}

export type SlotEffect =
  | { type: 'spawn'; worker: number }
  | { type: 'stop'; worker: number }
  | { type: 'retry'; failures: number }
  | { type: 'withdraw' }
  | { type: 'restore' }
  /** A worker that was started is ready. */
  | { type: 'readied'; worker: number }
  | { type: 'decided'; worker: number; decision: Decision }

/** What was done about a worker that ended by itself. */
export type Decision =
  | 'restarted at once'
  | 'restarted after backoff'
  | 'slot withdrawn, retried after backoff'
  | 'left until the next change'
  | 'replaced at once'
  | 'replacement abandoned'

export interface SlotPolicy {
  minUptimeMs: number
  /** Fast failures in a row after which the slot is withdrawn. */
  withdrawAfter: number
  /** Whether a fast failure is followed by a further try, or by none until a replacement is asked for. */
  afterFailure: 'retry' | 'wait'
}

export interface SlotStep {
  state: SlotState
  effects: SlotEffect[]
}

export function stepSlot(state: SlotState, event: SlotEvent, policy: SlotPolicy): SlotStep {
  const stay: SlotStep = { state, effects: [] }
  switch (event.type) {
    case 'started':
      return state.name === 'idle' ? boot(1, 0) : stay
    case 'retryDue':
      return state.name === 'waiting' ? boot(state.lastWorker + 1, state.failures) : stay
    case 'becameReady':
      return ready(state, event)
    case 'ended':
      return ended(state, event, policy)
    case 'replacementRequested':
      if (state.name === 'serving') {
        const next = state.worker + 1
        return { state: { ...state, name: 'replacing', next }, effects: [{ type: 'spawn', worker: next }] }
      }
      if (state.name === 'waiting') return boot(state.lastWorker + 1, state.failures)
      if (state.name === 'booting') {
        const next = boot(state.worker + 1, state.failures)
        return { state: next.state, effects: [{ type: 'stop', worker: state.worker }, ...next.effects] }
      }
      return stay
    case 'replacementAccepted':
      if (state.name !== 'replacing' || state.nextReadyAt === undefined) return stay
      return {
        state: { name: 'serving', worker: state.next, failures: 0, readyAt: state.nextReadyAt },
        effects: [{ type: 'stop', worker: state.worker }],
      }
    case 'replacementRefused': {
      if (state.name !== 'replacing') return stay
      const { next, nextReadyAt: _, ...old } = state
      return { state: { ...old, name: 'serving' }, effects: [{ type: 'stop', worker: next }] }
    }
  }
}

/** The workers that the slot still counts on. */
export function workersOf(state: SlotState): number[] {
  switch (state.name) {
    case 'booting':
    case 'serving':
      return [state.worker]
    case 'replacing':
      return [state.worker, state.next]
    case 'idle':
    case 'waiting':
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
      state: { name: 'serving', worker: state.worker, failures: state.failures, readyAt: state.readyAt },
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
  const next: SlotState = { name: 'waiting', failures, lastWorker: worker }
  if (failures > 0 && policy.afterFailure === 'wait') {
    return {
      state: next,
      effects: [{ type: 'decided', worker, decision: 'left until the next change' }, { type: 'withdraw' }],
    }
  }
  const effects: SlotEffect[] =
    failures >= policy.withdrawAfter
      ? [{ type: 'decided', worker, decision: 'slot withdrawn, retried after backoff' }, { type: 'withdraw' }]
      : [{ type: 'decided', worker, decision: failures === 0 ? 'restarted at once' : 'restarted after backoff' }]
  return { state: next, effects: [...effects, { type: 'retry', failures }] }
}

/**
 * A worker that served for `minUptimeMs` starts the count anew. So does one that served and was killed with SIGKILL by
 * somebody outside: its own boot is not what fails. One that was killed so while it booted is not counted either, but
 * waits, since the kernel kills what is out of memory in the same way, and may not tell. Where it tells, that is a failure.
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
