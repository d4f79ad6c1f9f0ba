import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createTask } from 'node-cron'
import { offsetIn } from '../../../../supervisor/base/adapters/time-zone.ts'
import type { OffsetAt } from '../../../../supervisor/base/cron-time.ts'
import { createSchedule } from '../../../../supervisor/programs/jobs/schedule.ts'
import { createReference, type Fields } from './cron-reference.ts'

const quarterMs = 900_000
const from = Date.parse('2020-01-01T00:00:00Z')
const until = Date.parse('2030-01-01T00:00:00Z')
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe', // half an hour
  'America/Santiago', // at midnight, in the other half of the year
  'Asia/Beirut', // at midnight
]

const sorted = (low: number, high: number, most: number) =>
  fc
    .uniqueArray(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: most })
    .map(list => list.sort((a, b) => a - b))
const list = (low: number, high: number, most = 3) => sorted(low, high, most).map(values => values.join(','))
const step = (most: number) => fc.integer({ min: 2, max: most }).map(by => `*/${by}`)
const every = fc.constant('*')

const fields: fc.Arbitrary<Fields> = fc.tuple(
  fc.oneof(list(0, 59), step(59), every),
  fc.oneof(list(0, 23), list(0, 4), step(23), every),
  fc.oneof(list(1, 31), step(31), { arbitrary: every, weight: 3 }),
  fc.oneof(list(1, 12), { arbitrary: every, weight: 3 }),
  fc.oneof(list(0, 7), { arbitrary: every, weight: 2 }),
)

/** Due times in a period, at most `most`. */
function timesOf(
  schedule: string,
  timezone: string,
  { after, end, most }: { after: number; end: number; most: number },
) {
  const { next } = createSchedule({ schedule, timezone }, offsets)
  const times: string[] = []
  for (let time = next(after); time < end && times.length < most; time = next(time))
    times.push(new Date(time).toISOString())
  return times
}

const known = new Map<string, OffsetAt>()

/** Offsets of a zone, looked up once for each quarter of an hour: clocks are set at no other time. */
function offsets(zone: string): OffsetAt {
  const [present, look, found] = [known.get(zone), offsetIn(zone), new Map<number, number>()]
  const offsetAt = (instant: number) => {
    const quarter = Math.floor(instant / quarterMs)
    const offset = found.get(quarter) ?? look(instant)
    found.set(quarter, offset)
    return offset
  }
  if (!present) known.set(zone, offsetAt)
  return present ?? offsetAt
}

describe('due times', () => {
  for (const zone of zones) {
    const reference = createReference(offsets(zone), from, until)

    it(`are those of a walk through ten years of ${zone}, around each change of the clock`, () => {
      const instants = [...reference.changes, from + 200 * 86_400_000]
      assert.ok(zone === 'UTC' || instants.length > 18, `${instants.length}`)
      fc.assert(
        fc.property(fields, words => {
          // what runs each minute has enough times in an hour
          const aroundMs = (words[0].startsWith('*') ? 3 : 30) * 3_600_000
          for (const instant of instants) {
            const period = { after: instant - aroundMs, end: instant + aroundMs, most: Number.POSITIVE_INFINITY }
            let times: string[]
            try {
              times = timesOf(words.join(' '), zone, period)
            } catch (error) {
              assert.match(`${error}`, /never comes/)
              assert.deepEqual(reference.timesIn(words, from, until), [])
              return
            }
            assert.deepEqual(times, reference.timesIn(words, period.after, period.end), `${words.join(' ')} in ${zone}`)
          }
        }),
        { numRuns: 20, seed: 7 },
      )
    })
  }

  it('are those of the walk through ten years, from one to the next', () => {
    for (const zone of zones) {
      const reference = createReference(offsets(zone), from, until)
      for (const text of ['30 2 * * *', '0 0 29 2 *', '15 0 13 * 5']) {
        const words = text.split(' ') as Fields
        const times = timesOf(text, zone, { after: from - 1, end: until, most: Number.POSITIVE_INFINITY })
        assert.deepEqual(times, reference.timesIn(words, from - 1, until), `${text} in ${zone}`)
      }
    }
  })

  it('are those of node-cron, where it does as crontab(5) says', () => {
    fc.assert(
      fc.property(fields, words => {
        const isEither = !words[2].startsWith('*') && !words[4].startsWith('*')
        const text = words.join(' ')
        fc.pre(!isEither && isPossible(text))
        const task = createTask(text, () => {}, { timezone: 'UTC' })
        const theirs = task.getNextRuns(5).map(time => time.toISOString())
        void task.destroy()
        const ours = timesOf(text, 'UTC', { after: Date.now(), end: Number.POSITIVE_INFINITY, most: 5 })
        assert.deepEqual(ours, theirs, text)
      }),
      { numRuns: 100, seed: 7 },
    )
  })
})

function isPossible(schedule: string): boolean {
  try {
    createSchedule({ schedule, timezone: 'UTC' }, offsets)
    return true
  } catch {
    return false
  }
}
