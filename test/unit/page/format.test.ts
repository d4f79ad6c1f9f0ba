import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  daysUntil,
  formatBytes,
  formatLatency,
  formatNumber,
  formatShare,
  formatSpan,
  formatTime,
} from '../../../page/format.ts'

describe('page/format', () => {
  for (const [format, cases] of [
    [
      formatNumber,
      [
        [1234.5, '1,235'],
        [12.34, '12.3'],
        [0.4217, '0.42'],
        [0, '0'],
        [null, '–'],
        [Number.NaN, '–'],
      ],
    ],
    [
      formatLatency,
      [
        [0.00321, '3.2 ms'],
        [0.5, '500 ms'],
        [0.0204, '20 ms'],
        [1.239, '1.2 s'],
        [undefined, '–'],
      ],
    ],
    [
      formatSpan,
      [
        [12.9, '12 s'],
        [300, '5 min'],
        [12_000, '3 h 20 min'],
        [352_800, '4 d 2 h'],
        [undefined, '–'],
      ],
    ],
    [
      formatBytes,
      [
        [0, '0 B'],
        [182 * 1024 ** 2, '182 MB'],
        [1.5 * 1024 ** 3, '1.5 GB'],
        [1023 * 1024, '1 MB'],
        [null, '–'],
      ],
    ],
    [
      formatShare,
      [
        [0.123, '12 %'],
        [0.0034, '0.3 %'],
        [1, '100 %'],
        [0, '0 %'],
        [null, '–'],
      ],
    ],
  ] as [(value: never) => string, [unknown, string][]][])
    it(format.name, () => {
      for (const [value, expected] of cases) assert.equal(format(value as never), expected)
    })

  it('formatTime leaves out the day that it is', () => {
    const now = Date.parse('2026-11-30T21:00:00')
    assert.equal(formatTime('2026-11-30T14:03:21', now), '14:03:21')
    assert.equal(formatTime('2026-11-29T14:03:21', now), '29 Nov 14:03')
  })

  it('daysUntil counts whole days', () => {
    const now = Date.parse('2026-11-30T21:00:00Z')
    assert.deepEqual([daysUntil('2026-12-02T20:00:00Z', now), daysUntil('2026-11-30T20:00:00Z', now)], [1, -1])
  })
})
