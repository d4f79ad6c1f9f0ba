import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pause } from '../../../supervisor/base/clock.ts'
import { readAddress } from '../../../supervisor/dynamic-routes/adapters/open-connections.ts'
import { type DynamicRoute, readRoute, routeValue } from '../../../supervisor/dynamic-routes/route.ts'
import { type SwitchPlan, switchRoute } from '../../../supervisor/dynamic-routes/route-switch.ts'
import { createHandClock } from '../hand-clock.ts'

const host = 'shop.test'
const [old, next] = ['10.0.0.2:80', '10.0.0.3:80']
const settings = { max_body_size: '1m', basic_auth: ['anne:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/'] }

function routeOf(value: unknown): DynamicRoute {
  const reading = readRoute(value)
  return reading.ok ? reading.value : assert.fail(reading.problem)
}

/** A switch whose time passes as fast as it is waited for. */
async function run(
  plan: Partial<SwitchPlan>,
  given: {
    present?: unknown
    /** The route that someone else sets while the servers are checked. */
    meanwhile?: unknown
    failures?: (ms: number) => string | undefined
    /** Whether servers respond to no check. */
    hangs?: (ms: number) => boolean
    open?: (ms: number) => number
    stored?: boolean
  } = {},
) {
  const { clock, advance, waiting } = createHandClock()
  let present = given.present === undefined ? undefined : routeOf(given.present)
  const sets: unknown[] = []
  const reports: string[] = []
  const result = switchRoute(
    { host, target: next, isChecked: false, timeoutMs: 30_000, drainMs: 0, share: undefined, ...plan },
    {
      clock,
      read: async () => present,
      async set(value) {
        present = routeOf(value)
        sets.push(routeValue(present))
        const isFirst = sets.length === 1
        if (isFirst && given.stored === false)
          return { ok: false, message: 'cannot change routes', reason: 'nginx did not receive it' }
        return { ok: true, message: `${host} now leads elsewhere` }
      },
      async failureOf(_, withinMs) {
        if (given.meanwhile !== undefined && sets.length === 0) present = routeOf(given.meanwhile)
        if (!given.hangs?.(clock.monotonic())) return given.failures?.(clock.monotonic())
        await pause(clock, withinMs)
        return 'no response'
      },
      inFlight: async () => given.open?.(clock.monotonic()) ?? 0,
      report: text => reports.push(text),
    },
  )
  let isDone = false
  const done = result.then(
    outcome => outcome,
    (error: Error) => error,
  )
  void done.then(() => {
    isDone = true
  })
  for (let turn = 0; turn < 10_000 && !isDone; turn++) await advance(waiting() > 0 ? 100 : 0)
  const outcome = await done
  return { outcome, sets, reports, ms: clock.monotonic() }
}

const message = (outcome: Awaited<ReturnType<typeof run>>['outcome']) =>
  outcome instanceof Error ? outcome.message : `${outcome.message}: ${outcome.ok ? 'ok' : outcome.reason}`

describe('dynamic-routes/route-switch', () => {
  it('switches when the next server has passed two checks, and keeps the settings', async () => {
    const present = { targets: [old], ...settings }
    const { outcome, sets, ms } = await run(
      { isChecked: true },
      { present, failures: now => (now < 3000 ? 'status 503' : undefined) },
    )
    assert.match(message(outcome), /ok$/)
    assert.deepEqual(sets, [{ targets: [next], ...settings }])
    assert.equal(ms, 3500)
    const own = { targets: [next], sticky: true }
    assert.deepEqual((await run({ target: JSON.stringify(own) }, { present })).sets, [own])
  })

  it('keeps what someone else changes while the servers are checked, and drains what they leave', async () => {
    const given = { present: '10.0.0.1:80', meanwhile: { targets: [old], ...settings } }
    const { sets, outcome } = await run({ isChecked: true, drainMs: 3000 }, given)
    assert.deepEqual(sets, [{ targets: [next], ...settings }])
    assert.match(message(outcome), /10\.0\.0\.2:80 is without requests/)
    const failures = (now: number) => (now > 2000 ? 'status 500' : undefined)
    const back = await run({ isChecked: true, drainMs: 30_000 }, { ...given, failures, open: () => 1 })
    assert.deepEqual(back.sets.at(-1), given.meanwhile)
  })

  it('reports a switch before it waits, and once', async () => {
    assert.deepEqual((await run({}, { present: old })).reports, [])
    assert.deepEqual((await run({ drainMs: 3000 }, { present: old })).reports, [`${host} now leads elsewhere`])
  })

  it('changes nothing if it is not ready in time', async () => {
    const { outcome, sets, ms } = await run(
      { isChecked: true, timeoutMs: 5000 },
      { present: old, failures: () => 'connection refused' },
    )
    assert.match(
      message(outcome),
      /leads where it did before: 10\.0\.0\.3:80 is not ready after 5s: connection refused/,
    )
    assert.deepEqual(sets, [])
    assert.equal(ms, 5000)
    const flapping = (now: number) => ((now / 500) % 2 === 0 ? 'down' : undefined)
    assert.deepEqual((await run({ isChecked: true }, { present: old, failures: flapping })).sets, [])
  })

  it('uses all of its time, and hardly more', async () => {
    const plan = { isChecked: true, timeoutMs: 1200 }
    const late = (now: number) => (now < 700 ? 'status 503' : undefined)
    const ready = await run(plan, { present: old, failures: late })
    assert.deepEqual([ready.sets, ready.ms], [[next], 1200])
    for (const timeoutMs of [0, 300, 1200, 2700]) {
      const { outcome, ms } = await run({ ...plan, timeoutMs }, { present: old, hangs: () => true })
      assert.match(message(outcome), /is not ready after .*: no response$/)
      assert.ok(ms >= timeoutMs && ms <= timeoutMs + 100, `${ms} ms of ${timeoutMs}`)
    }
    const busy = { present: old, failures: () => 'status 502', hangs: (now: number) => now >= 1200 }
    assert.match(message((await run(plan, busy)).outcome), /after 1.2s: status 502$/)
    const given = { present: old, hangs: (now: number) => now > 1000, open: () => 1 }
    const { outcome, ms } = await run({ isChecked: true, drainMs: 3300 }, given)
    assert.match(message(outcome), /is with 1 request after 3.3s: ok/)
    assert.ok(ms <= 500 + 3300 + 100, `${ms} ms`)
  })

  it('waits for the requests of the former server, at most as long as it may', async () => {
    const drained = await run({ drainMs: 30_000 }, { present: old, open: now => (now < 4000 ? 2 : 0) })
    assert.match(message(drained.outcome), /10\.0\.0\.2:80 is without requests/)
    assert.equal(drained.ms, 4500)
    const late = await run({ drainMs: 3000 }, { present: old, open: () => 2 })
    assert.match(message(late.outcome), /is with 2 requests after 3s: ok/)
    const same = await run({ drainMs: 3000, target: `${old} ${next}` }, { present: old, open: () => 2 })
    assert.equal(same.ms, 0)
    assert.equal((await run({ drainMs: 3000 }, { open: () => 2 })).ms, 0)
  })

  it('goes back if the next server fails while the former one drains, or if nginx does not get the change', async () => {
    const failures = (now: number) => (now > 2000 ? 'status 500' : undefined)
    const failed = await run({ isChecked: true, drainMs: 30_000 }, { present: old, failures, open: () => 1 })
    assert.match(message(failed.outcome), /switched, and back to 10\.0\.0\.2:80: 10\.0\.0\.3:80 has failed: status 500/)
    assert.deepEqual(failed.sets, [next, old])
    const unsent = await run({}, { present: old, stored: false })
    assert.match(message(unsent.outcome), /^cannot switch shop\.test, and back to 10\.0\.0\.2:80: nginx did not/)
    assert.deepEqual(unsent.sets, [next, old])
    assert.deepEqual((await run({}, { stored: false })).sets, [next])
  })

  it('sends a part first', async () => {
    const share = { percent: 10, isSticky: false }
    assert.deepEqual((await run({ share }, { present: old })).sets, [`${old} weight=90 ${next} weight=10`])
    // another part later
    const later = await run(
      { share: { percent: 50, isSticky: true } },
      { present: `${old} weight=90 ${next} weight=10` },
    )
    assert.deepEqual(later.sets, [{ targets: [`${old} weight=50`, `${next} weight=50`], sticky: true }])
    const several = await run({ share }, { present: `10.0.0.7:80 weight=2 ${old}` })
    assert.deepEqual(several.sets, [`10.0.0.7:80 weight=540 ${old} weight=270 ${next} weight=90`])
    assert.match(message((await run({ share }, { present: next })).outcome), /has no other target/)
    assert.match(message((await run({ share })).outcome), /has no other target/)
  })

  it('needs an address to check', async () => {
    assert.match(
      message((await run({ isChecked: true, target: 'web' }, { present: old })).outcome),
      /no address to check/,
    )
    assert.match(message((await run({ target: 'a b c:1' })).outcome), /needs DNS/)
  })
})

describe('dynamic-routes/adapters/open-connections', () => {
  it('reads addresses as the kernel writes them', () => {
    assert.equal(readAddress('0200000A:1388'), '10.0.0.2:5000')
    assert.equal(readAddress('B80D0120000000000000000003000000:0050'), '[2001:db8::3]:80')
    assert.equal(readAddress('00000000000000000000000001000000:0050'), '[::1]:80')
  })
})
