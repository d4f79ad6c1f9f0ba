import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openPause, type PauseDeps } from '../../../supervisor/front/pause/pause.ts'
import { createHandClock } from '../hand-clock.ts'

/** A pause over a gate in memory. `old`: nginx workers that have requests. */
function open(given: Partial<PauseDeps> = {}) {
  const { clock, advance } = createHandClock()
  const state = { closedUntil: undefined as number | undefined, follows: 0, old: 0 }
  const logged: string[] = []
  const note = (message: string) => void logged.push(message)
  const pause = openPause({
    clock,
    log: { debug: note, info: note, warn: note, error: note },
    gate: {
      path: '/run/pause',
      close: until => {
        state.closedUntil = until
      },
      open: () => {
        state.closedUntil = undefined
      },
    },
    hasLua: true,
    async follow() {
      state.follows++
    },
    oldWorkers: () => state.old,
    ...given,
  })
  return { pause, clock, advance, state, logged }
}

describe('front/pause', () => {
  it('ends by itself, and takes the gate out of nginx', async () => {
    const { pause, clock, advance, state, logged } = open()
    const began = await pause.begin('5s')
    assert.ok(began.ok && /requests wait, and no request is in flight/.test(began.message))
    assert.deepEqual(
      [state.closedUntil, state.follows, pause.model()],
      [clock.now() + 5000, 1, { pauseGate: '/run/pause' }],
    )
    assert.equal(pause.warnings().length, 1)
    await advance(5000)
    assert.deepEqual([state.closedUntil, state.follows, pause.model()], [undefined, 2, { pauseGate: undefined }])
    assert.deepEqual([pause.status(), pause.warnings()], [{}, []])
    assert.match(logged.join(), /resumed/)
  })

  it('is prolonged by another one, without another reload', async () => {
    const { pause, advance, state } = open()
    await pause.begin('5s')
    await advance(4000)
    const again = await pause.begin('5s')
    assert.ok(again.ok && /the pause lasts until/.test(again.message))
    await advance(4000)
    assert.notEqual(state.closedUntil, undefined)
    assert.equal(state.follows, 1)
    await advance(1000)
    assert.equal(state.closedUntil, undefined)
  })

  it('ends when nginx refuses the gate', async () => {
    const { pause, state } = open({
      async follow() {
        throw new Error('duplicate directive')
      },
    })
    assert.deepEqual(await pause.begin(), { ok: false, message: 'cannot pause', reason: 'duplicate directive' })
    assert.deepEqual([state.closedUntil, pause.model()], [undefined, { pauseGate: undefined }])
  })

  it('says what is still in flight after half of its time, or that it ended before', async () => {
    const busy = open()
    const began = busy.pause.begin('4s')
    busy.state.old = 1
    await busy.advance(2000)
    const outcome = await began
    assert.ok(outcome.ok && /1 old nginx worker has requests in flight, or WebSockets/.test(outcome.message))
    const ended = open()
    const early = ended.pause.begin('4s')
    ended.state.old = 1
    await ended.advance(50)
    await ended.pause.end()
    await ended.advance(100)
    assert.match(JSON.stringify(await early), /it ended before/)
    assert.deepEqual(await ended.pause.end(), { ok: true, message: 'nothing was paused' })
  })

  it('goes on when a stop begins, and is not possible without Lua', async () => {
    const { pause, state } = open()
    await pause.begin()
    pause.quiesce()
    assert.equal(state.closedUntil, undefined)
    assert.match(JSON.stringify(await open({ hasLua: false }).pause.begin()), /has no Lua/)
    for (const [duration, problem] of [
      ['0s', /between 1s and 10m/],
      ['10m1s', /between/],
      ['-5s', /not a duration/],
      ['', /not a duration/],
    ] as const)
      assert.match(JSON.stringify(await pause.begin(duration)), problem)
  })
})
