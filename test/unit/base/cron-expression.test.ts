import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { offsetIn } from '../../../supervisor/base/adapters/time-zone.ts'
import { type Cron, parseCron } from '../../../supervisor/base/cron-expression.ts'
import { nextCronTime } from '../../../supervisor/base/cron-time.ts'

function cronOf(expression: string): Cron {
  const parsed = parseCron(expression, 'five or six')
  assert.ok(parsed.ok, expression)
  return parsed.cron
}

function problemOf(expression: string): string {
  const parsed = parseCron(expression)
  return parsed.ok ? '' : parsed.problem
}

/** The next times of an expression, in UTC and without what is zero. */
function times(expression: string, zone: string, from: string, count: number): string[] {
  const found: number[] = []
  for (let after = Date.parse(from); found.length < count; after = found.at(-1) ?? 0)
    found.push(nextCronTime(cronOf(expression), after, offsetIn(zone)))
  return found.map(time => new Date(time).toISOString().replace(':00.000Z', ''))
}

describe('base/cron-expression', () => {
  it('accepts the syntax of crontab', () => {
    for (const text of ['0 4 * * *', '*/5 0-6 1,15 jan-mar mon', '0 0-23/2 * * 7', '59 23 31 12 sun'])
      assert.equal(problemOf(text), '', text)
  })
  it('accepts the short forms of crontab', () => {
    for (const [short, long] of [
      ['@daily', '0 0 * * *'],
      ['@Weekly', '0 0 * * 0'],
      ['@yearly', '0 0 1 1 *'],
    ] as const)
      assert.deepEqual(times(short, 'UTC', '2026-11-29T12:00:00Z', 3), times(long, 'UTC', '2026-11-29T12:00:00Z', 3))
    assert.match(problemOf('@reboot'), /five fields.*@hourly/)
  })
  it('names the invalid field', () => {
    const bad: [string, RegExp][] = [
      ['0 4 * *', /five fields/],
      ['0 0 4 * * *', /five fields/],
      ['60 4 * * *', /minute from 0 to 59/],
      ['0 24 * * *', /hour from/],
      ['0 4 0 * *', /day of the month/],
      ['0 4 * foo *', /month from 1/],
      ['0 4 * * 8', /day of the week/],
      ['9-3 4 * * *', /minute/],
      ['*/0 4 * * *', /minute/],
    ]
    for (const [text, problem] of bad) assert.match(problemOf(text), problem, text)
  })
  it('accepts a second before the five fields where that is allowed', () => {
    for (const text of ['* * * * * *', '*/10 * * * * *', '0,30 0 4 * * mon', '0 4 * * *', '@daily'])
      assert.ok(parseCron(text, 'five or six').ok, text)
    const bad: [string, RegExp][] = [
      ['60 * * * * *', /a second from 0 to 59/],
      ['0 60 4 * * *', /a minute from 0 to 59/],
      ['0 0 0 31 4 *', /the day 31 never comes in the month 4/],
      ['0 0 4 * * * 2027', /five fields.* or six with the second before them/],
    ]
    for (const [text, problem] of bad) {
      const parsed = parseCron(text, 'five or six')
      assert.match(parsed.ok ? '' : parsed.problem, problem, text)
    }
  })
  it('rejects a date that never comes', () => {
    for (const text of ['0 0 31 4 *', '0 0 30 2 *', '0 0 31 2,4,6 *', '0 0 30-31 feb *', '0 0 31 4 */2'])
      assert.match(problemOf(text), /never comes/, text)
    for (const text of ['0 0 29 2 *', '0 0 31 4 mon', '0 0 31 4,5 *', '0 0 29 2 */6', '0 0 29 2 */7'])
      assert.equal(problemOf(text), '', text)
  })
})

describe('base/cron-time', () => {
  it('runs at seconds', () => {
    assert.deepEqual(times('*/20 59 23 * * *', 'UTC', '2026-12-31T23:59:30Z', 3), [
      '2026-12-31T23:59:40.000Z',
      '2027-01-01T23:59',
      '2027-01-01T23:59:20.000Z',
    ])
    // the clock is set back an hour in this time
    const [from, eachSecond] = [Date.parse('2026-10-25T00:58:00Z'), cronOf('* * * * * *')]
    const berlin = offsetIn('Europe/Berlin')
    const found = [from]
    while (found.length < 240) found.push(nextCronTime(eachSecond, found.at(-1) ?? 0, berlin))
    assert.deepEqual(
      found,
      found.map((_, at) => from + at * 1000),
    )
  })

  it('has the same times with a second as without, at that second, where the clock is set', () => {
    for (const expression of ['30 2 * * *', '*/20 * * * *', '0 0-3 * * *', '15 2,3 * * *'])
      for (const zone of ['Europe/Berlin', 'Asia/Beirut', 'Australia/Lord_Howe', 'UTC'])
        for (const from of ['2026-03-27T12:00:00Z', '2026-10-23T12:00:00Z', '2026-04-03T12:00:00Z'])
          assert.deepEqual(times(`0 ${expression}`, zone, from, 20), times(expression, zone, from, 20))
  })

  it('runs once for all its seconds when the clock is set forward over them', () => {
    assert.deepEqual(times('*/30 30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3), [
      '2026-03-29T01:00',
      '2026-03-30T00:30',
      '2026-03-30T00:30:30.000Z',
    ])
  })

  it('runs on either of a day of the month and a day of the week, as crontab does', () => {
    const from = '2026-11-29T12:00:00Z'
    assert.deepEqual(times('0 4 1,15 * 5', 'UTC', from, 5), [
      '2026-12-01T04:00',
      '2026-12-04T04:00',
      '2026-12-11T04:00',
      '2026-12-15T04:00',
      '2026-12-18T04:00',
    ])
    // a step of * restricts nothing by itself
    assert.deepEqual(times('0 4 */2 * 1', 'UTC', from, 2), ['2026-12-07T04:00', '2026-12-21T04:00'])
    assert.deepEqual(times('0 4 29 2 *', 'UTC', from, 2), ['2028-02-29T04:00', '2032-02-29T04:00'])
    assert.deepEqual(times('0 4 * * 7', 'UTC', from, 1), ['2026-12-06T04:00'])
  })

  it('runs once when the clock is set forward over its time', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ])
    assert.deepEqual(times('0,20,40 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
      '2026-03-29T01:00',
      '2026-03-30T00:00',
    ])
    // the clock is set forward at midnight
    assert.deepEqual(times('0 0 * * *', 'Asia/Beirut', '2026-03-28T12:00:00Z', 2), [
      '2026-03-28T22:00',
      '2026-03-29T21:00',
    ])
    assert.deepEqual(times('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2), [
      '2026-10-03T15:30',
      '2026-10-04T15:15',
    ])
  })

  it('runs once when the clock is set back over its time', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:31:00Z', 1), ['2026-10-26T01:30'])
    assert.deepEqual(times('0 */2 * * *', 'Europe/Berlin', '2026-10-24T21:30:00Z', 3), [
      '2026-10-24T22:00',
      '2026-10-25T00:00',
      '2026-10-25T03:00',
    ])
    assert.deepEqual(times('30 23 * * *', 'America/Havana', '2026-10-31T12:00:00Z', 2), [
      '2026-11-01T03:30',
      '2026-11-02T04:30',
    ])
  })

  it('runs every half hour and every hour through both days', () => {
    const half = ['00:00', '00:30', '01:00', '01:30', '02:00']
    for (const day of ['2026-10-25', '2026-03-29'])
      for (const text of ['*/30 * * * *', '0,30 * * * *', '*/30 0-23 * * *']) {
        const from = new Date(Date.parse(`${day}T00:00:00Z`) - 1).toISOString()
        assert.deepEqual(
          times(text, 'Europe/Berlin', from, 5),
          half.map(time => `${day}T${time}`),
        )
      }
    assert.deepEqual(times('1 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 2), [
      '2026-03-29T00:01',
      '2026-03-29T01:01',
    ])
    assert.deepEqual(times('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 3), [
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
    ])
    assert.deepEqual(times('*/30 1-4 * * *', 'Europe/Berlin', '2026-10-24T23:45:00Z', 4), [
      '2026-10-25T00:00',
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
    ])
  })
})
