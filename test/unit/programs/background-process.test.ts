import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../supervisor/base/clock.ts'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import { createLog } from '../../../supervisor/base/log.ts'
import type { Child, Spawn } from '../../../supervisor/processes/child.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import { createBackgroundProcess } from '../../../supervisor/programs/background-process.ts'
import type { ProcessPlan } from '../../../supervisor/programs/plan.ts'

/** Nothing is checked here. */
const probe = { connects: async () => undefined, respondsToGet: async () => undefined }
const plan: ProcessPlan = {
  name: 'queue',
  argv: ['consumer'],
  directory: '/',
  uid: undefined,
  gid: undefined,
  env: () => ({}),
  count: 1,
  watchesItself: false,
  stopSignal: 'SIGTERM',
  gracefulTimeoutMs: 1000,
  minUptimeMs: 0,
  backoff: { initialMs: 100, maxMs: 1000 },
  restart: 'always',
}

/** System that refuses the first starts, which no real one does on demand, and a child that never ends. */
function refusing(times: number): { spawn: Spawn; alive: () => number } {
  let calls = 0
  const child: Child = {
    pid: 1,
    exited: new Promise(() => {}),
    signal: () => true,
    signalGroup: () => true,
    groupAlive: () => true,
    lastLines: () => [],
    outputEnded: async () => {},
    onNotify: () => {},
  }
  return {
    spawn() {
      if (++calls <= times) throw new OperatorError('cannot start queue.1 (consumer)', { fix: 'fix it' })
      return child
    },
    alive: () => Math.max(0, calls - times),
  }
}

/** Clock that a test moves. */
function createClock(): { clock: Clock; advance: (ms: number) => Promise<void> } {
  let now = 0
  const timers = new Map<() => void, number>()
  return {
    clock: {
      now: () => now,
      monotonic: () => now,
      after(delayMs, callback) {
        const timer = () => callback()
        timers.set(timer, now + delayMs)
        return () => timers.delete(timer)
      },
    },
    async advance(ms) {
      now += ms
      for (const [timer, at] of timers) {
        if (at > now) continue
        timers.delete(timer)
        timer()
      }
      // lets settled promises continue
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

function create(spawn: Spawn) {
  const { clock, advance } = createClock()
  const lines: string[] = []
  const oomWatch = createOomWatch({ oomKills: () => 0, limit: () => undefined })
  const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => lines.push(line) })
  const one = createBackgroundProcess(
    { clock, log, random: () => 0, spawn, oomWatch, onDeath: () => false, probe, onProgress() {} },
    1,
    plan,
  )
  return { one, lines, advance }
}

describe('programs/background-process', () => {
  it('logs a start that the system refuses, and retries with backoff', async () => {
    const { spawn, alive } = refusing(2)
    const { one, lines, advance } = create(spawn)
    one.start()
    await advance(0)
    assert.deepEqual([one.status().state, alive()], ['waiting', 0])
    assert.match(lines.join(''), /process died process=queue\.1 .*reason="cannot start queue\.1 \(consumer\); fix it"/)
    await advance(100)
    await advance(0)
    assert.equal(alive(), 0)
    await advance(199)
    assert.equal(alive(), 0)
    await advance(1)
    assert.equal(alive(), 1)
    await advance(500)
    assert.equal(one.status().state, 'running')
  })

  it('fails a replacement that the system refuses', async () => {
    const { one, advance } = create(refusing(1).spawn)
    const replaced = one.replace(plan)
    await advance(0)
    await advance(0)
    assert.deepEqual(await replaced, {
      ok: false,
      reason: 'queue.1: cannot start queue.1 (consumer); fix it',
      lastLines: [],
    })
  })

  it('never runs two, even if the first start was refused a moment before', async () => {
    const { spawn, alive } = refusing(1)
    const { one, advance } = create(spawn)
    one.start()
    const replaced = one.replace(plan)
    await new Promise(resolve => setImmediate(resolve)) // it starts one before the refusal is reported
    assert.equal(alive(), 1)
    for (let step = 0; step < 5; step++) await advance(500)
    assert.deepEqual(await replaced, { ok: true })
    assert.equal(alive(), 1)
  })
})
