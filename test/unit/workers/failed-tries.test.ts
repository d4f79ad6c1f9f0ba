import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import { createFailedTries, type FailedTry, isOwnFault } from '../../../supervisor/workers/deaths/failed-tries.ts'
import { createHandClock } from '../hand-clock.ts'

const addresses = ['unix:/run/app-1.sock', 'unix:/run/app-3.sock']
const died = { worker: 'app.1', addresses, isOwnFault: true }
const crash: FailedTry = {
  request: 'GET /crash',
  id: '1',
  address: 'unix:/run/app-3.sock',
  beganAt: 0,
  sent: 1,
  isRepeatable: true,
}
const other: FailedTry = { ...crash, request: 'GET /', id: '2', address: 'unix:/run/app-1.sock' }

function start() {
  const { clock, advance } = createHandClock()
  const late: unknown[] = []
  const log = { warn: (_: string, { not_retried }: Record<string, unknown>) => late.push(not_retried) }
  return { advance, late, now: clock.now, ...createFailedTries({ clock, log: log as unknown as Log }) }
}

type Started = ReturnType<typeof start>

/** Decisions about tries that fail in one death, and what its record says. */
async function decide({ exited, mayRepeat, advance, now }: Started, tries: FailedTry[], exit = died) {
  const decisions = tries.map(failed => mayRepeat({ ...failed, beganAt: now() }))
  const record = exited(exit).refused()
  await advance(200)
  return { decisions: await Promise.all(decisions), record: await record }
}

describe('workers/deaths/failed-tries', () => {
  it('repeats what was in flight with others, once', async () => {
    const run = start()
    const first = await decide(run, [crash, other])
    assert.deepEqual(first, { decisions: [true, true], record: [] })
    const second = await decide(run, [{ ...crash, sent: 2 }])
    assert.deepEqual(second, { decisions: [false], record: ['GET /crash 1 (second worker)'] })
  })

  it('does not repeat the only request in flight, and knows it the next time', async () => {
    const run = start()
    assert.deepEqual(await decide(run, [crash]), {
      decisions: [false],
      record: ['GET /crash 1 (only request in flight)'],
    })
    await run.advance(1000)
    assert.deepEqual(await decide(run, [{ ...crash, id: '3' }, other]), {
      decisions: [false, true],
      record: ['GET /crash 3 (repeat offender)'],
    })
    await run.advance(600_000)
    assert.deepEqual((await decide(run, [crash, other])).decisions, [true, true])
  })

  it('suspects what began last of all that was in flight, and nothing after a death from outside', async () => {
    for (const [isFault, expected] of [
      [true, [false, true, false]],
      [false, [false, false, false]],
    ] as const) {
      const run = start()
      const tries = [5, 9, 7].map((beganAt, index) => ({ ...crash, id: `${index}`, beganAt }))
      await run.advance(10)
      const decisions = tries.map(failed => run.mayRepeat(failed))
      run.exited({ ...died, isOwnFault: isFault })
      await run.advance(100)
      assert.deepEqual(await Promise.all(decisions), [true, true, true])
      assert.deepEqual(tries.map(run.isSuspect), expected)
      assert.equal(run.isSuspect(other), false)
    }
  })

  it('counts a POST as in flight', async () => {
    const post = { ...other, request: 'POST /', isRepeatable: false }
    assert.deepEqual(await decide(start(), [post, crash]), { decisions: [false, true], record: [] })
  })

  it('repeats after a death from outside what was alone, and convicts no one', async () => {
    const run = start()
    const outside = { ...died, isOwnFault: false }
    assert.deepEqual(await decide(run, [crash], outside), { decisions: [true], record: [] })
    await run.advance(1000)
    assert.deepEqual((await decide(run, [{ ...crash, sent: 2 }, other], outside)).decisions, [true, true])
    await run.advance(1000)
    assert.deepEqual(await decide(run, [{ ...crash, sent: 2 }], outside), {
      decisions: [false],
      record: ['GET /crash 1 (second worker)'],
    })
    await run.advance(1000)
    assert.deepEqual((await decide(run, [crash, other])).decisions, [true, true])
  })

  it('repeats what no worker got, and after 100 ms what no worker died of', async () => {
    const { mayRepeat, advance } = start()
    assert.equal(await mayRepeat({ ...crash, sent: 0 }), true)
    const unexplained = mayRepeat(crash)
    const again = mayRepeat({ ...crash, sent: 2 })
    await advance(100)
    assert.equal(await unexplained, true)
    assert.equal(await again, false)
  })

  it('attributes a request to the death at its own address, shortly before it or after it', async () => {
    const run = start()
    assert.deepEqual((await decide(run, [{ ...crash, address: 'unix:/run/app-2.sock' }])).decisions, [true])
    run.exited(died)
    const shortly = run.mayRepeat(crash)
    await run.advance(20)
    assert.equal(await shortly, false)
    const later = run.mayRepeat({ ...other, beganAt: 60 })
    await run.advance(200)
    assert.equal(await later, true)
  })

  it('logs what it learns after the record', async () => {
    const run = start()
    const record = run.exited(died).refused()
    await run.advance(20)
    assert.deepEqual(await record, [])
    const late = run.mayRepeat(crash)
    await run.advance(50)
    assert.equal(await late, false)
    assert.deepEqual(run.late, ['GET /crash 1 (only request in flight)'])
  })

  it('blames a worker for its exit, crash, hang or memory, not for a signal that others send', () => {
    const judge = (signal: string, more = {}, cause?: 'hung' | 'requested') =>
      isOwnFault({ exit: { kind: 'signal', signal, number: 1, ...more }, cause })
    assert.deepEqual(
      ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGSEGV', 'SIGABRT', 'SIGBUS'].map(signal => judge(signal)),
      [false, false, false, true, true, true],
    )
    assert.equal(judge('SIGKILL', { isOutOfMemory: true }), true)
    assert.equal(judge('SIGKILL', {}, 'hung'), true)
    assert.equal(judge('SIGKILL', {}, 'requested'), false)
    assert.equal(isOwnFault({ exit: { kind: 'code', code: 0 }, cause: undefined }), true)
  })
})
