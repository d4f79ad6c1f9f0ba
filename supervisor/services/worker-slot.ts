import { exitCode, messageOf } from '../base/errors.ts'
import { backoffMs } from '../domain/backoff.ts'
import { describeExit, type Exit } from '../domain/exit.ts'
import { renderAddress } from '../domain/nginx-upstream.ts'
import type { SlotSockets, WorkerAddress } from '../domain/ports.ts'
import { type SlotEffect, type SlotEvent, type SlotPolicy, type SlotState, stepSlot } from '../domain/slot-state.ts'
import type { WorkerStatus } from '../domain/status.ts'
import { type Endpoint, openPortEndpoint, openSocketEndpoint } from './endpoint.ts'
import type { InFlight } from './in-flight.ts'
import { launchWorker, type Worker, type WorkerDeps, type WorkerEnd } from './worker.ts'
import type { WorkerPlan } from './worker-plan.ts'

/** Fast failures in a row after which nginx is told to leave a slot out. */
const withdrawAfter = 2
const queueTimeoutMs = 1000

export type RollResult = { ok: true } | { ok: false; reason: string; lastLines: string[] }

/** A worker that ended by itself. */
export interface Death {
  worker: string
  exit: Exit
  wasReady: boolean
  lastLines: string[]
}

/** One place in nginx's upstream, and the workers that fill it one after the other. */
export interface WorkerSlot {
  readonly number: number
  start(): void
  /** Until its worker is ready, requests for this slot go to the other one. */
  leanOn(other: WorkerSlot): void
  /** Replaces the worker by one of `plan`, the new one ready before the old one drains. On failure the old one stays. */
  replace(plan: WorkerPlan): Promise<RollResult>
  /** Asks its workers to drain, SIGKILL after `graceMs`; settles when they are gone. No worker is started any more. */
  stop(graceMs: number): Promise<void>
  /** Where nginx finds it. */
  address(): WorkerAddress
  /** Whether nginx should know it: it was ready once, and is not withdrawn. */
  isInRotation(): boolean
  leaveRotation(): void
  /** How busy its worker is, from 0 to 1; undefined when that is not told. */
  load(): number | undefined
  /**
   * Stops for good without losing a request. nginx was told, and its old workers may go on asking here for a moment:
   * they are led to the `heir`, if there is one. What waits in the queue is taken first, then the workers drain.
   */
  leave(heir: WorkerSlot | undefined, graceMs: number): Promise<void>
  /** Kills a worker that is not ready yet, as if it had failed. */
  giveUpBooting(): void
  status(): WorkerStatus
}

export interface WorkerSlotDeps extends WorkerDeps {
  sockets: SlotSockets
  runDir: string
  /** The rotation or an address in it changed; settles when nginx knows. */
  onRotation: () => Promise<void>
  onReady: () => void
  inFlight: Pick<InFlight, 'of'>
  /** A worker ended by itself. Whether that ends the whole run, so that nothing is started any more. */
  onDeath: (death: Death) => boolean
}

export function createWorkerSlot(deps: WorkerSlotDeps, number: number, initialPlan: WorkerPlan): WorkerSlot {
  const { clock, log } = deps
  const name = `${initialPlan.app}.${number}`
  const link = `${deps.runDir}/${initialPlan.app}-${number}.sock`
  let plan = initialPlan
  let state: SlotState = { name: 'idle' }
  let endpoint: Endpoint | undefined
  let isInRotation = false
  let isLeaning = false
  let isStopping = false
  let restarts = 0
  let cancelRetry = () => {}
  let settleReplacement: ((result: RollResult) => void) | undefined
  const workers = new Map<number, Worker & { plan: WorkerPlan; buried: Promise<void> }>()

  const policy = (): SlotPolicy => ({
    minUptimeMs: plan.minUptimeMs,
    withdrawAfter,
    afterFailure: plan.afterFailure,
  })

  function dispatch(event: SlotEvent): void {
    const step = stepSlot(state, event, policy())
    state = step.state
    for (const effect of step.effects) perform(effect)
  }

  function perform(effect: SlotEffect): void {
    switch (effect.type) {
      case 'spawn':
        startWorker(effect.worker)
        return
      case 'stop':
        void retire(effect.worker)
        return
      case 'retry':
        cancelRetry = clock.after(backoffMs(effect.failures, plan.backoff, deps.random()), () =>
          dispatch({ type: 'retryDue' }),
        )
        return
      case 'withdraw':
        withdraw()
        return
      case 'restore':
        takeOver()
        stopLeaning()
        enterRotation()
        return
      case 'replaced':
        settleReplacement?.({ ok: true })
        return
      case 'replacementFailed':
      case 'decided':
        return // `bury` tells them
    }
  }

  /** Once nginx leaves the slot out, what waits in its queue goes to another worker, or is answered by nginx. */
  function withdraw(): void {
    const dead = endpoint
    endpoint = undefined
    isInRotation = false
    if (plan.afterFailure === 'retry') log.warn('slot withdrawn from nginx', { worker: name })
    void deps.onRotation().then(() => dead?.close())
  }

  function enterRotation(): void {
    if (isInRotation) return
    isInRotation = true
    void deps.onRotation()
  }

  function openEndpoint(worker: number): Endpoint {
    if (plan.listen === 'port') return openPortEndpoint(deps.sockets)
    return openSocketEndpoint(deps.sockets, `${deps.runDir}/${plan.app}-${number}.${worker}.sock`)
  }

  /**
   * A worker that will notify, as the same command did before, shares the socket of the one it replaces, and takes over
   * its queue. Of any other, only a socket of its own can show that it is ready.
   */
  function endpointFor(worker: number): Endpoint {
    const serving = state.name === 'replacing' ? workers.get(state.worker) : undefined
    const fits =
      endpoint &&
      (endpoint.own.kind === 'tcp'
        ? plan.listen === 'port'
        : plan.listen === 'inherit' && deps.sockets.isThere(endpoint.own.path))
    if (
      endpoint &&
      fits &&
      (!serving || (serving.hasNotified() && isSameCommand(serving.plan, plan) && plan.listen === 'inherit'))
    )
      return endpoint
    return openEndpoint(worker)
  }

  function useEndpoint(next: Endpoint): void {
    endpoint = next
    if (next.own.kind === 'unix' && !isLeaning) deps.sockets.point(link, next.own.path)
  }

  function stopLeaning(): void {
    if (!isLeaning) return
    isLeaning = false
    if (endpoint) useEndpoint(endpoint)
  }

  function startWorker(worker: number): void {
    const isReplacement = state.name === 'replacing'
    if (worker > 1) restarts++
    try {
      const own = endpointFor(worker)
      const isShared = isReplacement && own === endpoint
      if (!isReplacement) useEndpoint(own)
      const onReady = () => {
        dispatch({ type: 'becameReady', worker, at: clock.now() })
        deps.onReady()
      }
      const launched = launchWorker(deps, { name, slot: number, plan, endpoint: own, isShared, onReady })
      const buried = launched.ended.then(end => {
        workers.delete(worker)
        if (own !== endpoint) own.close()
        bury(worker, end)
      })
      workers.set(worker, { ...launched, plan, buried })
    } catch (error) {
      clock.after(0, () => bury(worker, refusedEnd(error)))
    }
  }

  /** A replacement whose predecessor died meanwhile listens elsewhere than nginx looks. */
  function takeOver(): void {
    const serving = 'worker' in state ? workers.get(state.worker) : undefined
    if (!serving || serving.endpoint === endpoint) return
    endpoint?.close()
    useEndpoint(serving.endpoint)
    if (isInRotation && serving.endpoint.own.kind === 'tcp') void deps.onRotation()
  }

  /** Stops a replaced worker, once no new request can reach it and those in its queue were taken. */
  async function retire(worker: number): Promise<void> {
    const old = workers.get(worker)
    const current = state.name === 'serving' ? workers.get(state.worker) : undefined
    if (!old) return
    if (!isStopping && current && current.endpoint !== old.endpoint) {
      useEndpoint(current.endpoint)
      if (current.endpoint.own.kind === 'tcp') await deps.onRotation()
      else await emptyQueue(old.endpoint)
    }
    old.process.stop()
  }

  /** Queues are first in, first out: when this is answered, what came before it is in the worker's hands. */
  async function emptyQueue(of: Endpoint): Promise<void> {
    await deps.probe.answers(of.own, queueTimeoutMs)
  }

  async function stop(graceMs: number): Promise<void> {
    isStopping = true
    cancelRetry()
    settleReplacement?.({ ok: false, reason: 'monohull is stopping', lastLines: [] })
    const leaving = [...workers.values()]
    for (const { process } of leaving) process.stop(graceMs)
    await Promise.all(leaving.map(({ buried }) => buried))
    endpoint?.close()
    endpoint = undefined
  }

  /** The record of a worker's end, and what follows from it. */
  function bury(worker: number, end: WorkerEnd | RefusedEnd): void {
    if (end.wasRequested || isStopping) return
    const { exit, wasReady, lastLines } = end
    const step = stepSlot(state, { type: 'ended', worker, exit, at: clock.now() }, policy())
    const decided = step.effects.find(effect => effect.type === 'decided')?.decision
    const isAbandoned = decided === 'replacement abandoned'
    const endsRun = !isAbandoned && deps.onDeath({ worker: name, exit, wasReady, lastLines })
    const record = {
      worker: name,
      pid: end.pid,
      exit: describeExit(exit),
      reason: end.reason,
      uptime_ms: end.uptimeMs,
      decision: endsRun ? 'everything is stopped' : decided,
      last_lines: lastLines,
    }
    // one that was never ready had no requests
    if (!wasReady) log.error('worker died', record)
    else void recordDeath(record, endsRun)
    state = step.state
    if (endsRun) return
    for (const effect of step.effects) perform(effect)
    if (step.effects.some(effect => effect.type === 'replacementFailed')) {
      const outcome = end.reason ?? `the new worker ended with ${describeExit(exit)} before it was ready`
      settleReplacement?.({ ok: false, reason: `${name}: ${outcome}`, lastLines })
    }
  }

  async function recordDeath(record: Record<string, unknown>, endsRun: boolean): Promise<void> {
    const address = renderAddress(slot.address())
    const requests = await deps.inFlight.of({ worker: name, address, at: clock.now(), endsRun })
    log.error('worker died', { ...record, in_flight: requests.length > 0 ? requests : undefined })
  }

  const slot: WorkerSlot = {
    number,
    start: () => dispatch({ type: 'started' }),
    leanOn(other) {
      const target = other.address()
      if (isInRotation || target.kind === 'tcp') return
      isLeaning = true
      deps.sockets.point(link, target.path)
    },
    async replace(next) {
      const previous = plan
      plan = next
      cancelRetry()
      const result = await new Promise<RollResult>(resolve => {
        settleReplacement = resolve
        dispatch({ type: state.name === 'idle' ? 'started' : 'replacementRequested' })
      })
      settleReplacement = undefined
      if (!result.ok) plan = previous
      return result
    },
    stop,
    address: () => (endpoint?.own.kind === 'tcp' ? endpoint.own : { kind: 'unix', path: link }),
    isInRotation: () => isInRotation,
    load() {
      const serving = 'worker' in state && state.name !== 'booting' ? workers.get(state.worker) : undefined
      return serving?.load()
    },
    leaveRotation() {
      isInRotation = false
    },
    async leave(heir, graceMs) {
      const next = heir?.address()
      if (endpoint?.own.kind === 'unix') {
        if (next?.kind === 'unix') deps.sockets.point(link, next.path)
        if (state.name === 'serving') await emptyQueue(endpoint)
      }
      await stop(graceMs)
    },
    giveUpBooting() {
      const booting = state.name === 'replacing' ? state.next : state.name === 'booting' ? state.worker : undefined
      if (booting !== undefined) workers.get(booting)?.process.child.signalGroup('SIGKILL')
    },
    status() {
      const serving = 'worker' in state ? workers.get(state.worker) : undefined
      return {
        name,
        slot: number,
        state: state.name,
        pid: serving?.process.child.pid,
        uptimeSeconds: serving && Math.round((clock.now() - serving.process.state().startedAt) / 1000),
        restarts,
        isInRotation,
      }
    },
  }
  return slot
}

function isSameCommand(one: WorkerPlan, other: WorkerPlan): boolean {
  return JSON.stringify(one.argv) === JSON.stringify(other.argv)
}

/** The end of a worker that the system refused to start. */
type RefusedEnd = Omit<WorkerEnd, 'pid'> & { pid: undefined }

function refusedEnd(error: unknown): RefusedEnd {
  const exit: Exit = { kind: 'code', code: exitCode.software }
  return {
    pid: undefined,
    exit,
    wasReady: false,
    wasRequested: false,
    uptimeMs: 0,
    lastLines: [],
    reason: messageOf(error),
  }
}
