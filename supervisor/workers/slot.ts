import { backoffMs } from '../base/backoff.ts'
import { stopping } from '../base/roll-result.ts'
import type { Death } from '../processes/death.ts'
import type { Exit } from '../processes/exit.ts'
import type { RestartCounts } from '../processes/last-death.ts'
import { endReason } from '../processes/process-state.ts'
import {
  type SlotEffect,
  type SlotEvent,
  type SlotPolicy,
  type SlotState,
  stepSlot,
  workersOf,
} from '../processes/slot-state.ts'
import type { WorkerAddress } from './address.ts'
import { renderAddress } from './app-upstream.ts'
import { type DeathRecordDeps, outcomeOf, recordDeath } from './deaths/death-record.ts'
import { type FailedTries, type FatalTries, isOwnFault } from './deaths/failed-tries.ts'
import type { WorkerPlan } from './plan.ts'
import { createSlotAddress, type SlotAddressDeps } from './slot-address.ts'
import { createSlotPlan } from './slot-plan.ts'
import { createSlotReplacement } from './slot-replacement.ts'
import { createSlotRotation } from './slot-rotation.ts'
import { createSlotSleep } from './slot-sleep.ts'
import { createSlotWorkers } from './slot-workers.ts'
import type { Worker, WorkerDeps } from './worker.ts'
import type { RefusedEnd, WorkerEnd } from './worker-end.ts'
import type { WorkerSlot } from './worker-slot.ts'

/** Fast failures in a row after which a slot is withdrawn from nginx. */
const withdrawAfter = 2

/** Dependencies of a slot. */
export interface WorkerSlotDeps extends WorkerDeps, SlotAddressDeps, DeathRecordDeps {
  /** Updates nginx after a change of the rotation or of an address. Resolves when the change is in effect, or the update has failed. Never rejects. */
  onRotation: () => Promise<void>
  /** Called when a worker became ready. */
  onReady: () => void
  /** Learns of every exit, to decide whether its requests go to another worker. */
  failedTries: Pick<FailedTries, 'exited'>
  /** Addresses of the upstream entries that lead to this slot now. */
  entriesOf: () => WorkerAddress[]
  /** Called when a worker ended by itself. Returns whether that ends the run, so that no other is started. */
  onDeath: (death: Death) => boolean
}

/** Slot `number` of a pool, not started yet. */
export function createWorkerSlot(deps: WorkerSlotDeps, number: number, initialPlan: WorkerPlan): WorkerSlot {
  const { clock, log } = deps
  const name = `${initialPlan.app}.${number}`
  const address = createSlotAddress(deps, initialPlan.app, number)
  const rotation = createSlotRotation({ ...deps, address })
  const plan = createSlotPlan(clock, initialPlan)
  const sleep = createSlotSleep({ ...deps, address }, () => {
    log.info('waking: a request waits', { worker: name })
    dispatch({ type: 'woken' })
  })
  let state: SlotState = { name: 'idle' }
  let isStopping = false
  /** Whether it gets no new requests any more; a worker may still serve its queue. */
  let isLeaving = false
  /** Whether its worker did not boot after sleep, and none has since. */
  let hasFailedToWake = false
  const counts: RestartCounts = { restarts: 0, crashes: 0, replacements: 0 }
  let cancelRetry = () => {}
  /** Tries that the exit of a worker ended, until its death is recorded. */
  const fatal = new Map<number, FatalTries>()
  const workers = createSlotWorkers(
    {
      ...deps,
      address,
      onMoved: deps.onRotation,
      onReady(worker) {
        hasFailedToWake = false
        dispatch({ type: 'becameReady', worker, at: clock.monotonic() })
        deps.onReady()
      },
      onAccepting: followServing,
      onExit(worker, exit) {
        const addresses = [slot.address(), ...deps.entriesOf()].map(renderAddress)
        fatal.set(worker, deps.failedTries.exited({ worker: name, addresses, isOwnFault: isOwnFault(exit) }))
      },
      onEnd(worker, end) {
        recordExit(worker, end)
        fatal.delete(worker)
      },
    },
    { name, slot: number },
  )

  const replacement = createSlotReplacement({
    name,
    plan,
    workers,
    state: () => state,
    isStopping: () => isStopping,
    dispatch,
    drained,
    cancelRetry: () => cancelRetry(),
    onAccepted() {
      followServing()
      // the first worker of a slot that was added replaces none
      if (counts.restarts > 0) counts.replacements++
    },
  })

  function policy(): SlotPolicy {
    const { minUptimeMs, afterFailure } = plan.current()
    return { minUptimeMs, withdrawAfter, afterFailure }
  }

  function dispatch(event: SlotEvent): void {
    const step = stepSlot(state, event, policy())
    state = step.state
    if (state.name !== 'asleep') sleep.end()
    for (const effect of step.effects) perform(effect)
  }

  function perform(effect: SlotEffect): void {
    switch (effect.type) {
      case 'spawn':
        plan.attempt()?.began(effect.worker)
        if (effect.worker > 1 && !isWaking()) counts.restarts++
        workers.start(
          effect.worker,
          plan.current(),
          state.name === 'replacing'
            ? { worker: state.worker, isApart: plan.attempt()?.trial !== undefined }
            : undefined,
        )
        return
      case 'stop':
        void workers.retire(effect.worker, successorOf(effect.worker))
        return
      case 'rest':
        void workers.rest(effect.worker)
        return
      case 'retry':
        if (isLeaving) return
        cancelRetry = clock.after(backoffMs(effect.failures, plan.current().backoff, deps.random()), () =>
          dispatch({ type: 'retryDue' }),
        )
        return
      case 'withdraw':
        if (plan.current().afterFailure === 'retry' && rotation.isIn())
          log.warn('slot withdrawn from nginx', { worker: name })
        rotation.withdraw()
        return
      case 'restore':
        // a replacement whose predecessor died meanwhile listens at an address that nginx does not use yet
        if ('worker' in state && workers.takeOver(state.worker) && rotation.isIn()) void deps.onRotation()
        rotation.enter()
        return
      case 'readied':
        plan.attempt()?.readied(effect.worker)
        return
      case 'decided':
        return // `recordExit` logs it
    }
  }

  function isWaking(): boolean {
    return state.name === 'booting' && state.isWaking === true
  }

  function fallAsleep(): Promise<void> | undefined {
    if (state.name !== 'serving' || isStopping || isLeaving) return sleep.woken()
    const serving = workers.get(state.worker)
    if (!serving?.accepts() || serving.isHeld()) return undefined
    sleep.begin(plan.current(), (state.newest ?? state.worker) + 1)
    if (sleep.woken()) dispatch({ type: 'fellAsleep' })
    return sleep.woken()
  }

  function servingWorker(): Worker | undefined {
    return 'worker' in state && state.name !== 'booting' ? workers.get(state.worker) : undefined
  }

  /** Keeps the slot in the rotation while its worker accepts. */
  function followServing(): void {
    const serving = servingWorker()
    if (!serving || isStopping) return
    if (serving.accepts()) rotation.enter()
    else rotation.suspend()
  }

  function successorOf(worker: number): number | undefined {
    return state.name === 'serving' && state.worker > worker && !isStopping ? state.worker : undefined
  }

  async function drained(): Promise<void> {
    await workers.othersGone(workersOf(state))
  }

  async function stop(graceMs: number): Promise<void> {
    isStopping = true
    sleep.end()
    cancelRetry()
    plan.attempt()?.failed(stopping)
    await workers.stop(graceMs)
  }

  /** Logs the end of a worker and acts on it. */
  function recordExit(worker: number, end: WorkerEnd | RefusedEnd): void {
    if (end.wasRequested || isStopping) return
    const { wasReady, servedMs, lastLines, blame, reason } = end
    // 143 would say that somebody else had stopped it
    const exit: Exit = end.cause === 'boot timeout' ? { kind: 'code', code: 1 } : end.exit
    const at = clock.now()
    const step = stepSlot(state, { type: 'ended', worker, blame, at: clock.monotonic() }, policy())
    const decision = step.effects.find(effect => effect.type === 'decided')?.decision
    const wasKilledOutside = blame === 'outside'
    const endsRun =
      decision !== 'replacement abandoned' &&
      deps.onDeath({ worker: name, exit, wasReady, servedMs, wasKilledOutside, lastLines, reason })
    const addresses = [slot.address(), ...deps.entriesOf()]
    counts.crashes++
    const why = endReason(end.cause, exit)
    counts.deaths = { ...counts.deaths, [why]: (counts.deaths?.[why] ?? 0) + 1 }
    const circumstances = { worker: name, decision, endsRun, at, addresses, fatal: fatal.get(worker) }
    counts.lastDeath = recordDeath(deps, end, circumstances)
    hasFailedToWake ||= isWaking()
    state = step.state
    if (endsRun) return
    const attempt = plan.attempt()
    if (attempt?.worker() === worker) attempt.failed({ ok: false, reason: `${name}: ${outcomeOf(end)}`, lastLines })
    for (const effect of step.effects) perform(effect)
  }

  const slot: WorkerSlot = {
    number,
    name,
    start: () => dispatch({ type: 'started' }),
    listen: () => workers.listen(plan.current()),
    redirectTo: rotation.redirectTo,
    endRedirect: address.endRedirect,
    ...replacement,
    drained,
    sleep: fallAsleep,
    wake() {
      if (!isStopping) dispatch({ type: 'woken' })
    },
    hasFailedToWake: () => hasFailedToWake,
    serving: () => (state.name === 'serving' ? workers.get(state.worker) : undefined),
    stop,
    killBooting() {
      const booting = state.name === 'replacing' ? state.next : state.name === 'booting' ? state.worker : undefined
      if (booting !== undefined) workers.get(booting)?.process.child.signalGroup('SIGKILL')
    },
    address: address.forNginx,
    isInRotation: rotation.isIn,
    load: () => servingWorker()?.reports.load(),
    leaveRotation() {
      isLeaving = true
      address.cede()
      rotation.leave()
    },
    async retire(graceMs) {
      if (state.name === 'serving') await workers.emptyQueue()
      await stop(graceMs)
    },
    status() {
      const serving = 'worker' in state ? workers.get(state.worker) : undefined
      return {
        name,
        slot: number,
        state: isWaking()
          ? 'waking'
          : state.name === 'serving' && serving?.accepts() === false
            ? 'not accepting'
            : state.name,
        pid: serving?.process.child.pid,
        uptimeSeconds: serving && Math.round((clock.monotonic() - serving.process.state().startedAt) / 1000),
        ...counts,
        isInRotation: rotation.isIn(),
      }
    },
  }
  return slot
}
