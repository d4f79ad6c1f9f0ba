import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatMetrics, gauge, type Metric, measured, metricsFormat } from '../../../supervisor/base/metrics.ts'

const histogram: Metric = {
  ...{ prefix: '', name: 'duration_seconds', type: 'histogram', help: 'x', samples: [] },
  histogram: {
    bounds: [0.5, 1],
    distributions: [{ labels: { app: 'web', host: undefined }, counts: [2, 3], count: 6, sum: 9.5 }],
  },
}
const openMetrics = metricsFormat('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')

describe('base/metrics', () => {
  it('writes the buckets of a histogram with those below them', () => {
    assert.deepEqual(formatMetrics([histogram]).split('\n').slice(2, -1), [
      'duration_seconds_bucket{app="web",le="0.5"} 2',
      'duration_seconds_bucket{app="web",le="1"} 5',
      'duration_seconds_bucket{app="web",le="+Inf"} 6',
      'duration_seconds_sum{app="web"} 9.5',
      'duration_seconds_count{app="web"} 6',
    ])
  })

  it('never writes fewer values than those in the buckets, which are counted at another moment', () => {
    const late: Metric = {
      ...histogram,
      histogram: { bounds: [1], distributions: [{ labels: {}, counts: [7], count: 6, sum: 1 }] },
    }
    assert.match(formatMetrics([late]), /_bucket\{le="\+Inf"\} 7\n.*\n.*_count 7\n/)
  })

  it('writes OpenMetrics: families of counters without _total, bounds as floats, an end', () => {
    const counter = measured('counter', 'x_total', 'say "x"', [{ labels: {}, value: 1 }])
    const odd: Metric = { ...measured('counter', 'accepted', 'x', [{ labels: {}, value: 1 }]), prefix: 'nginx_' }
    const text = formatMetrics([counter, odd, histogram], openMetrics)
    assert.match(text, /^# HELP monohull_x say \\"x\\"\n# TYPE monohull_x counter\nmonohull_x_total 1\n/)
    assert.match(text, /# TYPE nginx_accepted unknown\nnginx_accepted 1\n/)
    assert.match(text, /le="1\.0"\} 5\n/)
    assert.match(text, /\n# EOF\n$/)
  })

  it('writes OpenMetrics only for clients that accept it', () => {
    const names = [
      '',
      '*/*',
      'text/plain',
      'application/openmetrics-text; q=0, text/plain',
      'application/openmetrics-text;q=0.8',
    ]
    assert.deepEqual(
      names.map(accept => metricsFormat(accept).name),
      ['text', 'text', 'text', 'text', 'openmetrics'],
    )
  })

  it('omits metrics and samples without a value, and escapes labels', () => {
    const metrics = [measured('gauge', 'a', 'x', [{ labels: {}, value: undefined }]), gauge('b', 'x', 2)]
    assert.equal(formatMetrics(metrics), '# HELP monohull_b x\n# TYPE monohull_b gauge\nmonohull_b 2\n')
    const odd = measured('gauge', 'c', 'x', [{ labels: { path: '^/a"\\d\n$' }, value: 1 }])
    assert.match(formatMetrics([odd]), /monohull_c\{path="\^\/a\\"\\\\d\\n\$"\} 1/)
  })
})
