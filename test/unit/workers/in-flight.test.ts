import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import { createInFlight } from '../../../supervisor/workers/deaths/in-flight.ts'
import {
  describeInFlight,
  parseUnanswered,
  takeInFlight,
} from '../../../supervisor/workers/deaths/in-flight-requests.ts'
import { noteDeath, type OffenderCounts } from '../../../supervisor/workers/deaths/repeat-offenders.ts'

const one = 'unix:/run/monohull/app-1.sock'
const two = 'unix:/run/monohull/app-2.sock'

/** A line as nginx 1.22 and 1.26 write it. */
const line = (change: Record<string, unknown> = {}) =>
  JSON.stringify({
    method: 'GET',
    path: '/report',
    id: 'de1a0447eeee72baa921bdfb2fa431bb',
    at: 1000.5,
    addresses: `${one}, ${two}, ${one}`,
    statuses: '502, 502, 200',
    header_times: '-, -, 0.100',
    seconds: '0.100, 0.200, 0.300',
    ...change,
  })

describe('workers/deaths/in-flight-requests', () => {
  it('parses which worker dropped a request, and when', () => {
    const [request] = parseUnanswered(`${line()}\n`)
    assert.deepEqual(request, {
      method: 'GET',
      path: '/report',
      id: 'de1a0447eeee72baa921bdfb2fa431bb',
      loggedAt: 1_000_500,
      dropped: [
        { address: one, endedAt: 1_000_000 },
        { address: two, endedAt: 1_000_200 },
      ],
    })
  })

  it('does not mistake a response of the app, or a client that left, for a death', () => {
    const responded = line({ addresses: one, statuses: '502', header_times: '0.001', seconds: '0.001' })
    const left = line({ addresses: one, statuses: '-', header_times: '-', seconds: '0.050' })
    const late = line({ addresses: one, statuses: '504', header_times: '-', seconds: '60.000' })
    assert.deepEqual(
      parseUnanswered([responded, left, late].join('\n')).flatMap(({ dropped }) => dropped),
      [],
    )
  })

  it('skips invalid lines', () => {
    for (const text of ['', '\n', 'h":"/x"}\n', '{"method":"GET"', 'null', '[]', '"x"', '{}', line({ at: 'x' })])
      assert.deepEqual(parseUnanswered(text), [], text)
    assert.equal(parseUnanswered(`broken\n${line()}\n`).length, 1)
  })

  it('assigns each dropped try to one death, by worker and time', () => {
    const requests = parseUnanswered(line())
    assert.deepEqual(takeInFlight(requests, { addresses: [one], startedAt: 0, at: 990_000 }), [])
    assert.deepEqual(takeInFlight(requests, { addresses: [one], startedAt: 0, at: 1_010_000 }), [])
    assert.deepEqual(describeInFlight(takeInFlight(requests, { addresses: [one], startedAt: 0, at: 1_000_050 })), [
      'GET /report de1a0447eeee72baa921bdfb2fa431bb',
    ])
    assert.deepEqual(takeInFlight(requests, { addresses: [one], startedAt: 0, at: 1_000_050 }), [])
    assert.equal(takeInFlight(requests, { addresses: [two], startedAt: 0, at: 1_000_250 }).length, 1)
  })

  it('assigns to a death only the nearest of several tries at one worker', () => {
    const text = line({ addresses: `${one}, ${one}, ${one}`, statuses: '502, 502, 200' })
    const [request] = parseUnanswered(text)
    assert.ok(request)
    assert.equal(takeInFlight([request], { addresses: [one], startedAt: 0, at: 1_000_210 }).length, 1)
    assert.deepEqual(request.dropped, [{ address: one, endedAt: 1_000_000 }])
    assert.equal(takeInFlight([request], { addresses: [one], startedAt: 0, at: 1_000_010 }).length, 1)
    assert.deepEqual(request.dropped, [])
  })

  it('assigns a try to the worker that ran when it ended', () => {
    const [first, second] = [
      { addresses: [one], startedAt: 0, at: 1_000_000 },
      { addresses: [one, two], startedAt: 1_000_100, at: 1_000_400 },
    ]
    const dropped = (at: number) => parseUnanswered(line({ at, addresses: one, statuses: '502', seconds: '0.010' }))
    assert.equal(takeInFlight(dropped(1000.3), first, [first, second]).length, 0)
    assert.equal(takeInFlight(dropped(1000.3), first, [first]).length, 1)
    assert.equal(takeInFlight(dropped(1000.3), second, [first, second]).length, 1)
    assert.equal(takeInFlight(dropped(1000.05), second, [first, second]).length, 0)
    assert.equal(takeInFlight(dropped(1000.05), first, [first, second]).length, 1)
    const elsewhere = { addresses: [two], startedAt: 1_000_100, at: 1_000_400 }
    assert.equal(takeInFlight(dropped(1000.3), first, [elsewhere, first]).length, 1)
  })

  it('escapes everything in a path that could control a log or a terminal', () => {
    const [request] = parseUnanswered(
      line({ path: '/a\n2026 monohull info fine\u001b[2J\u202e\u0000', method: 'GET\r' }),
    )
    assert.equal(request?.path, '/a\\u{a}2026\\u{20}monohull\\u{20}info\\u{20}fine\\u{1b}[2J\\u{202e}\\u{0}')
    assert.equal(request?.method, 'GET\\u{d}')
    assert.equal(parseUnanswered(line({ path: `/${'x'.repeat(9000)}` }))[0]?.path.length, 201)
  })

  it('lists at most twenty', () => {
    const many = parseUnanswered(Array.from({ length: 23 }, () => line()).join('\n'))
    assert.equal(describeInFlight(many).length, 21)
    assert.equal(describeInFlight(many).at(-1), 'and 3 more')
  })
})

describe('workers/deaths/in-flight', () => {
  it('counts a request in each death at the same address, however late nginx logs it', async () => {
    let now = 1_000_000
    let timers: { at: number; run: () => void }[] = []
    let unread = ''
    const warnings: string[] = []
    const clock = {
      now: () => now,
      monotonic: () => now,
      after(delayMs: number, run: () => void) {
        timers.push({ at: now + delayMs, run })
        return () => {}
      },
    }
    const passTo = async (then: number) => {
      for (now++; now <= then; now++) {
        const due = timers.filter(({ at }) => at <= now)
        timers = timers.filter(({ at }) => at > now)
        for (const { run } of due) run()
        if (due.length > 0) await new Promise(setImmediate)
      }
      now = then
    }
    const logRequest = (at: number) => {
      const times = { addresses: one, statuses: '502', header_times: '-', seconds: '0.010' }
      unread += `${line({ method: 'POST', at: at / 1000, ...times })}\n`
    }
    const inFlight = createInFlight({
      clock,
      log: { warn: (message: string) => void warnings.push(message) } as unknown as Log,
      unanswered: {
        read() {
          const news = unread
          unread = ''
          return news
        },
        shorten() {},
      },
    })
    let startedAt = now - 5000
    for (const delayMs of [0, 100, 200]) {
      const at = 1_000_000 + delayMs
      if (at > now) await passTo(at)
      const record = inFlight.of({ worker: 'app.1', addresses: [one], startedAt, at, endsRun: false })
      if (delayMs === 0) logRequest(at)
      await passTo(at + 20)
      await record
      if (delayMs > 0) logRequest(at) // after the record was written
      startedAt = at + 30
    }
    await passTo(1_004_000)
    assert.deepEqual(warnings, [
      'a worker had more requests in flight when it died',
      'a worker had more requests in flight when it died',
      'the same request was in flight each time that a worker died',
    ])
  })
})

describe('workers/deaths/repeat-offenders', () => {
  const policy = { deaths: 3, forgetAfterMs: 1000, remembered: 4 }
  const run = (deaths: [number, ...string[]][]) => {
    let counts: OffenderCounts = new Map()
    return deaths.map(([at, ...requests]) => {
      const step = noteDeath(counts, { requests, at }, policy)
      counts = step.counts
      assert.ok(counts.size <= policy.remembered)
      return step.suspects.map(({ request, deaths: count }) => `${request} ${count}`)
    })
  }

  it('reports a request at its third death and at its sixth', () => {
    const suspects = run(Array.from({ length: 6 }, (_, index) => [index, 'POST /a', `GET /${index}`]))
    assert.deepEqual(suspects, [[], [], ['POST /a 3'], [], [], ['POST /a 6']])
  })

  it('counts a request once per death, and distinguishes methods', () => {
    assert.deepEqual(
      run([
        [0, 'GET /a', 'GET /a'],
        [1, 'GET /a'],
        [2, 'POST /a'],
      ]),
      [[], [], []],
    )
  })

  it('forgets old deaths', () => {
    assert.deepEqual(
      run([
        [0, 'GET /a'],
        [500, 'GET /a'],
        [1200, 'GET /a'],
        [1300, 'GET /a'],
      ]),
      [[], [], [], ['GET /a 3']],
    )
  })

  it('remembers only the newest, up to the limit', () => {
    assert.deepEqual(
      run([
        [0, 'GET /a'],
        [1, 'GET /a'],
        [2, 'GET /b', 'GET /c', 'GET /d', 'GET /e'],
        [3, 'GET /a'],
        [4, 'GET /e'],
        [5, 'GET /e'],
      ]),
      [[], [], [], [], [], ['GET /e 3']],
    )
  })
})
