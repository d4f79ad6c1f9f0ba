import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatMetrics } from '../../../supervisor/base/metrics.ts'
import { createOutcomeCounts } from '../../../supervisor/run/outcome-counts.ts'

describe('run/outcome-counts', () => {
  it('counts reloads and rolls by result, and keeps the time of the last success', () => {
    const counts = createOutcomeCounts()
    assert.match(formatMetrics(counts.metrics()), /^monohull_last_reload_successful 1$/m)
    assert.doesNotMatch(formatMetrics(counts.metrics()), /success_timestamp/)
    counts.note('reload', true, 5000)
    counts.note('reload', false, 9000)
    counts.note('roll', true, 7000)
    const text = formatMetrics(counts.metrics())
    assert.match(text, /^monohull_reloads_total\{result="ok"\} 1$/m)
    assert.match(text, /^monohull_reloads_total\{result="failed"\} 1$/m)
    assert.match(text, /^monohull_last_reload_successful 0$/m)
    assert.match(text, /^monohull_last_reload_success_timestamp_seconds 5$/m)
    assert.match(text, /^monohull_last_roll_successful 1$/m)
  })
})
