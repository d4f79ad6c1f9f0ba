import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '../../../supervisor/base/duration.ts'

describe('base/duration', () => {
  const durations: [string, number][] = [
    ['500ms', 500],
    ['0s', 0],
    ['8s', 8000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['1m30s500ms', 90_500],
    ['0.1ms', 0],
  ]
  for (const [text, ms] of durations) it(`reads ${text}`, () => assert.equal(parseDuration(text), ms))

  for (const text of [
    '',
    '8',
    's',
    '-8s',
    '+8s',
    '8 s',
    ' 8s',
    '8s ',
    '8S',
    '1.s',
    '.5s',
    '1e3s',
    '8s5',
    '8sec',
    '1w',
    'Infinitys',
  ]) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined))
  }

  const written: [number, string][] = [
    [0, '0ms'],
    [250, '250ms'],
    [999.6, '1000ms'],
    [8000, '8s'],
    [1500, '1.5s'],
    [90_000, '90s'],
    [300_000, '5m'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
  ]
  for (const [ms, text] of written) it(`writes ${ms} ms as ${text}`, () => assert.equal(formatDuration(ms), text))

  it('parses its own output to within a twentieth of a second', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), ms => {
        const back = parseDuration(formatDuration(ms)) ?? Number.NaN
        assert.ok(Math.abs(back - ms) <= 50, `${ms} → ${formatDuration(ms)} → ${back}`)
      }),
    )
  })
})
