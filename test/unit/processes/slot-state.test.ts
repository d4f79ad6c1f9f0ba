import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Blame,
  blameFor,
  type SlotEffect,
  type SlotEvent,
  type SlotState,
  stepSlot,
  workersOf,
} from '../../../supervisor/processes/slot-state.ts'

const policy = { minUptimeMs: 2000, withdrawAfter: 2, afterFailure: 'retry' } as const

const idle: SlotState = { name: 'idle' }
const booting: SlotState = { name: 'booting', worker: 5, failures: 0 }
const serving: SlotState = { name: 'serving', worker: 5, failures: 0, readyAt: 1000 }
const replacing: SlotState = { name: 'replacing', worker: 5, next: 6, failures: 0, readyAt: 1000 }
const waiting: SlotState = { name: 'waiting', failures: 1, lastWorker: 5 }

const step = (state: SlotState, event: SlotEvent) => stepSlot(state, event, policy)
const ended = (worker: number, at: number, blame: Blame = 'worker'): SlotEvent => ({
  type: 'ended',
  worker,
  blame,
  at,
})
const becameReady = (worker: number): SlotEvent => ({ type: 'becameReady', worker, at: 2000 })
const decided = (decision: Extract<SlotEffect, { type: 'decided' }>['decision'], worker = 5): SlotEffect => ({
  type: 'decided',
  worker,
  decision,
})

describe('processes/slot-state: start', () => {
  it('boots the first worker once', () => {
    const started = step(idle, { type: 'started' })
    assert.deepEqual(started, { state: { ...booting, worker: 1 }, effects: [{ type: 'spawn', worker: 1 }] })
    assert.deepEqual(step(started.state, { type: 'started' }), { state: started.state, effects: [] })
  })

  it('serves when its worker is ready, and is restored in nginx', () => {
    assert.deepEqual(step(booting, becameReady(5)), {
      state: { ...serving, readyAt: 2000 },
      effects: [{ type: 'restore' }, { type: 'readied', worker: 5 }],
    })
  })
})

describe('processes/slot-state: a worker that ends', () => {
  it('is restarted at once after a stable run', () => {
    assert.deepEqual(step({ ...serving, failures: 7 }, ended(5, 3000)), {
      state: { ...waiting, failures: 0 },
      effects: [decided('restarted at once'), { type: 'retry', failures: 0 }],
    })
  })

  it('is restarted at once after a kill from outside, at any age', () => {
    assert.deepEqual(step(serving, ended(5, 1001, 'outside')).effects, [
      decided('restarted at once'),
      { type: 'retry', failures: 0 },
    ])
  })

  it('is blamed on the outside only after a SIGKILL from there', () => {
    const kill = { kind: 'signal', signal: 'SIGKILL', number: 9 } as const
    assert.equal(blameFor(kill, undefined), 'outside')
    assert.equal(blameFor(kill, 'boot timeout'), 'worker')
    assert.equal(blameFor({ ...kill, isOutOfMemory: true }, undefined), 'worker')
    assert.equal(blameFor({ kind: 'code', code: 1 }, undefined), 'worker')
  })

  it('backs off after a failure before min_uptime', () => {
    assert.deepEqual(step(serving, ended(5, 2999)), {
      state: waiting,
      effects: [decided('restarted after backoff'), { type: 'retry', failures: 1 }],
    })
  })

  it('withdraws the slot from the second fast failure on', () => {
    for (const failures of [1, 2, 10]) {
      assert.deepEqual(step({ ...serving, failures }, ended(5, 1001)), {
        state: { ...waiting, failures: failures + 1 },
        effects: [
          decided('slot withdrawn, retried after backoff'),
          { type: 'withdraw' },
          { type: 'retry', failures: failures + 1 },
        ],
      })
    }
  })

  it('counts as a failure during boot, killed or not', () => {
    for (const blame of ['worker', 'outside'] as const) {
      assert.deepEqual(step(booting, ended(5, 99_999, blame)), {
        state: waiting,
        effects: [decided('restarted after backoff'), { type: 'retry', failures: 1 }],
      })
    }
  })

  it('is followed by a worker with the next number when the retry is due', () => {
    assert.deepEqual(step(waiting, { type: 'retryDue' }), {
      state: { name: 'booting', worker: 6, failures: 1 },
      effects: [{ type: 'spawn', worker: 6 }],
    })
  })

  it('keeps its failures after a successful boot until it has run long enough', () => {
    const state = step({ ...booting, failures: 3 }, becameReady(5)).state
    assert.deepEqual(state, { ...serving, failures: 3, readyAt: 2000 })
    assert.deepEqual(step(state, ended(5, 2001)).state, { ...waiting, failures: 4 })
    assert.deepEqual(step(state, ended(5, 4000)).state, { ...waiting, failures: 0 })
  })
})

describe('processes/slot-state: replacement', () => {
  const requested: SlotEvent = { type: 'replacementRequested' }

  it('boots the new worker next to the old one', () => {
    assert.deepEqual(step(serving, requested), { state: replacing, effects: [{ type: 'spawn', worker: 6 }] })
  })

  const ready: SlotState = { ...replacing, nextReadyAt: 2000 }

  it('keeps the old worker until the ready new one is accepted', () => {
    assert.deepEqual(step(replacing, becameReady(6)), { state: ready, effects: [{ type: 'readied', worker: 6 }] })
    assert.deepEqual(step(ready, { type: 'replacementAccepted' }), {
      state: { ...serving, worker: 6, readyAt: 2000 },
      effects: [{ type: 'stop', worker: 5 }],
    })
  })

  it('keeps the old worker when the new one ends, ready or not', () => {
    for (const state of [replacing, ready])
      assert.deepEqual(step(state, ended(6, 2500)), {
        state: { ...serving, newest: 6 },
        effects: [decided('replacement abandoned', 6)],
      })
  })

  it('drains the new worker when it is refused', () => {
    for (const state of [replacing, ready])
      assert.deepEqual(step(state, { type: 'replacementRefused' }), {
        state: { ...serving, newest: 6 },
        effects: [{ type: 'stop', worker: 6 }],
      })
  })

  it('never gives a number twice, as the refused worker may still drain', () => {
    const refused: SlotState = { ...serving, newest: 6 }
    assert.deepEqual(step(refused, { type: 'replacementRequested' }).effects, [{ type: 'spawn', worker: 7 }])
    assert.deepEqual(step(refused, ended(5, 9000)).state, { name: 'waiting', failures: 0, lastWorker: 6 })
  })

  it('accepts only a new worker that is ready', () => {
    for (const state of [replacing, serving, waiting])
      assert.deepEqual(step(state, { type: 'replacementAccepted' }), { state, effects: [] })
  })

  it('completes when the old worker ends and the new one is ready', () => {
    assert.deepEqual(step(ready, ended(5, 2500)), {
      state: { ...serving, worker: 6, readyAt: 2000 },
      effects: [decided('replaced at once'), { type: 'restore' }],
    })
  })

  it('continues with the new worker if the old one ends first', () => {
    const step5 = step(replacing, ended(5, 1500))
    assert.deepEqual(step5, { state: { ...booting, worker: 6 }, effects: [decided('restarted at once')] })
    assert.equal(step(step5.state, becameReady(6)).state.name, 'serving')
  })

  it('boots at once instead of waiting', () => {
    assert.deepEqual(step(waiting, requested).effects, [{ type: 'spawn', worker: 6 }])
  })

  it('replaces a worker that is still booting', () => {
    const { state, effects } = step(booting, requested)
    assert.deepEqual(state, { ...booting, worker: 6 })
    assert.deepEqual(effects, [
      { type: 'stop', worker: 5 },
      { type: 'spawn', worker: 6 },
    ])
    assert.deepEqual(step(state, ended(5, 1500)), { state, effects: [] })
    assert.deepEqual(step(state, becameReady(5)), { state, effects: [] })
  })

  it('runs one at a time', () => {
    for (const state of [replacing, idle]) assert.deepEqual(step(state, requested), { state, effects: [] })
  })
})

describe('processes/slot-state: its workers', () => {
  const counted: [SlotState, number[]][] = [
    [idle, []],
    [booting, [5]],
    [serving, [5]],
    [replacing, [5, 6]],
    [waiting, []],
  ]
  for (const [state, workers] of counted) {
    it(`are ${workers.length} when ${state.name}`, () => assert.deepEqual(workersOf(state), workers))
  }
})

describe('processes/slot-state: late and unrelated events', () => {
  const nothing: [SlotState, SlotEvent[]][] = [
    [idle, [becameReady(1), ended(1, 0), { type: 'retryDue' }]],
    [booting, [becameReady(4), ended(4, 0), { type: 'retryDue' }, { type: 'started' }]],
    [serving, [becameReady(5), becameReady(4), ended(4, 0), { type: 'retryDue' }, { type: 'started' }]],
    [replacing, [becameReady(5), becameReady(4), ended(4, 0), { type: 'retryDue' }, { type: 'started' }]],
    [waiting, [becameReady(5), ended(5, 0), { type: 'started' }]],
  ]
  for (const [state, events] of nothing) {
    for (const event of events) {
      const worker = 'worker' in event ? ` (${event.worker})` : ''
      it(`${state.name}: ${event.type}${worker} does nothing`, () => {
        assert.deepEqual(step(state, event), { state, effects: [] })
      })
    }
  }
})

describe('processes/slot-state: development', () => {
  const waits = { ...policy, afterFailure: 'wait' } as const

  it('does nothing after a fast failure until a replacement is requested', () => {
    const { state, effects } = stepSlot(booting, ended(5, 5), waits)
    assert.deepEqual(effects, [decided('left until the next change'), { type: 'withdraw' }])
    assert.deepEqual(stepSlot(state, { type: 'replacementRequested' }, waits).effects, [{ type: 'spawn', worker: 6 }])
  })

  it('restarts a worker that has served for a while', () => {
    const { effects } = stepSlot(serving, ended(5, 5000), waits)
    assert.ok(effects.some(({ type }) => type === 'retry'))
  })
})

describe('processes/slot-state: sleep', () => {
  const asleep: SlotState = { name: 'asleep', lastWorker: 5 }
  const waking: SlotState = { name: 'booting', worker: 6, failures: 0, isWaking: true }

  it('ends the serving worker, and boots the next one for the first request', () => {
    assert.deepEqual(step(serving, { type: 'fellAsleep' }), { state: asleep, effects: [{ type: 'rest', worker: 5 }] })
    assert.deepEqual(step(asleep, { type: 'woken' }), { state: waking, effects: [{ type: 'spawn', worker: 6 }] })
    assert.deepEqual(step(waking, becameReady(6)).state, { name: 'serving', worker: 6, failures: 0, readyAt: 2000 })
    assert.deepEqual(workersOf(asleep), [])
  })

  it('uses no number twice, not even that of a refused replacement', () => {
    assert.deepEqual(step({ ...serving, newest: 7 }, { type: 'fellAsleep' }).state, { ...asleep, lastWorker: 7 })
  })

  it('falls asleep only while it serves, and wakes only from sleep', () => {
    for (const state of [idle, booting, replacing, waiting, asleep])
      assert.deepEqual(step(state, { type: 'fellAsleep' }), { state, effects: [] })
    for (const state of [idle, booting, serving, replacing, waiting, waking])
      assert.deepEqual(step(state, { type: 'woken' }), { state, effects: [] })
  })

  it('is withdrawn at the first failed boot, because requests wait for it, and retried as usual', () => {
    const { state, effects } = step(waking, ended(6, 3000))
    assert.deepEqual(state, { name: 'waiting', failures: 1, lastWorker: 6 })
    assert.deepEqual(effects, [
      decided('slot withdrawn, retried after backoff', 6),
      { type: 'withdraw' },
      { type: 'retry', failures: 1 },
    ])
    assert.deepEqual(step(state, { type: 'retryDue' }).state, { name: 'booting', worker: 7, failures: 1 })
  })

  it('boots the worker of a reload, which is no wake-up', () => {
    assert.deepEqual(step(asleep, { type: 'replacementRequested' }).state, { name: 'booting', worker: 6, failures: 0 })
  })
})
