import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Candidate } from '../../../supervisor/certificates/choice.ts'
import { shareProgress } from '../../../supervisor/certificates/hsts/shared.ts'
import { furtherOf, type HstsProgress } from '../../../supervisor/certificates/hsts/stages.ts'
import { watchHsts } from '../../../supervisor/certificates/hsts/watch.ts'
import { createMemoryState } from '../shared-state/memory-state.ts'

const minuteMs = 60_000
const start = Date.UTC(2026, 10, 21)
const rule = { maxAgeMs: undefined, includeSubdomains: false, preload: false }
const trusted = [{ source: 'mounted', certificate: { subject: 'CN=a', issuer: 'CN=CA', notAfter: start * 2 } }]
const served = (isTrusted: boolean) => (isTrusted ? trusted : []) as unknown as Candidate[]
const log = { debug() {} }

/** Instances whose clocks differ from Redis's by `skewMs`. */
function setUp() {
  const memory = createMemoryState()
  const time = { now: start }
  const state = { ...memory.state, now: () => time.now }
  /** What was begun has ended: nothing of it waits for a timer. */
  const settled = () => new Promise<void>(resolve => setImmediate(resolve))

  async function open({ skewMs = 0, kept }: { skewMs?: number; kept?: HstsProgress } = {}) {
    const clock = { now: () => time.now + skewMs, monotonic: () => time.now, after: () => () => {} }
    let record = kept
    let isTrusted = true
    const check = () => watch.check(served(isTrusted))
    const shared = shareProgress({ state, clock, log, onChange: () => void check() })
    const watch = watchHsts({
      ...{ rule, hasProxies: false, isOnDemand: false, clock, shared },
      record: {
        read: () => record,
        write(next) {
          record = next
        },
      },
    })
    // before anything was read
    check()
    const first = watch.header()?.value
    await settled()
    return {
      first,
      header: () => watch.header()?.value,
      kept: () => record,
      async check() {
        check()
        await settled()
      },
      trust(value: boolean) {
        isTrusted = value
      },
    }
  }

  const stored = async () => JSON.parse((await state.read('hsts'))?.value ?? 'null') as HstsProgress | null
  return { memory, time, open, stored, settled }
}

describe('certificates/hsts/shared', () => {
  it('has one start of each stage, that of the first instance, whatever the clocks say', async () => {
    const { time, open, stored } = setUp()
    const one = await open({ skewMs: 5 * minuteMs })
    assert.deepEqual([one.first, one.header()], [undefined, 'max-age=300'])
    time.now += 4 * minuteMs
    const two = await open({ skewMs: -5 * minuteMs })
    // no shorter time than that of the others, not even for a moment
    assert.equal(two.first, undefined)
    time.now += minuteMs - 1
    for (const each of [one, two]) await each.check()
    assert.deepEqual([one.header(), two.header()], ['max-age=300', 'max-age=300'])
    time.now += 1
    await two.check()
    assert.deepEqual([one.header(), two.header()], ['max-age=604800', 'max-age=604800'])
    const { stage, since } = (await stored()) ?? {}
    assert.deepEqual({ stage, since }, { stage: 1, since: start + 5 * minuteMs })
    assert.deepEqual(
      [one.kept(), two.kept()],
      [
        { stage, since },
        { stage, since },
      ],
    )
    const third = await open()
    assert.deepEqual([third.first, third.header()], [undefined, 'max-age=604800'])
  })

  it('keeps its stage while Redis is unavailable, and brings it along if Redis has lost it', async () => {
    const { memory, time, open, stored } = setUp()
    const one = await open()
    memory.world.isDown = true
    time.now += 10 * minuteMs
    await one.check()
    assert.equal(one.header(), 'max-age=300')
    // one that has nothing of its own says nothing; one with a volume says what it has reached
    const [fresh, again] = [await open(), await open({ kept: { stage: 2, since: start - 1 } })]
    assert.deepEqual([fresh.header(), again.header()], [undefined, 'max-age=2592000'])
    memory.world.isDown = false
    await memory.state.remove('hsts')
    for (const each of [one, again, fresh]) await each.check()
    for (const each of [one, again, fresh]) assert.equal(each.header(), 'max-age=2592000')
    assert.equal((await stored())?.stage, 2)
  })

  it('is not ended by an instance without a trusted certificate while another has one, and else begins again', async () => {
    const { time, open, stored } = setUp()
    const [good, bad] = [await open(), await open({ kept: { stage: 1, since: start } })]
    assert.equal(good.header(), 'max-age=604800')
    bad.trust(false)
    for (let minute = 0; minute < 10; minute++) {
      time.now += minuteMs
      for (const each of [good, bad]) await each.check()
    }
    assert.deepEqual([good.header(), bad.header()], ['max-age=604800', undefined])
    good.trust(false)
    for (let minute = 0; minute < 2; minute++) {
      await good.check()
      time.now += minuteMs
    }
    assert.equal((await stored())?.stage, 1)
    for (let minute = 0; minute < 3; minute++) {
      for (const each of [good, bad]) await each.check()
      time.now += minuteMs
    }
    await good.check()
    assert.equal(await stored(), null)
    bad.trust(true)
    await bad.check()
    assert.deepEqual([good.header(), bad.header()], [undefined, 'max-age=300'])
  })

  it('does not begin again because an instance starts after all were stopped, before it has its certificate', async () => {
    const { time, open, stored } = setUp()
    await open({ kept: { stage: 2, since: start } })
    time.now += 60 * minuteMs
    const next = await open()
    next.trust(false)
    await next.check()
    time.now += 2 * minuteMs
    await next.check()
    next.trust(true)
    await next.check()
    assert.equal(next.header(), 'max-age=2592000')
    assert.equal((await stored())?.stage, 2)
  })
})

it('of two stages the later is further, and of one stage the earlier start', () => {
  const at = (stage: number, since: number) => ({ stage, since })
  assert.deepEqual(furtherOf(at(1, 5), at(2, 9)), at(2, 9))
  assert.deepEqual(furtherOf(at(2, 9), at(1, 5)), at(2, 9))
  assert.deepEqual(furtherOf(at(1, 5), at(1, 4)), at(1, 4))
  assert.deepEqual([furtherOf(undefined, at(1, 4)), furtherOf(at(1, 4), undefined)], [at(1, 4), at(1, 4)])
})
