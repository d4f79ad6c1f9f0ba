import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../supervisor/base/clock.ts'
import { logRecord, metricRecord } from '../../../supervisor/logs/otlp/encoding.ts'
import { createExporter, type Delivery } from '../../../supervisor/logs/otlp/exporter.ts'
import { otlpSettings, sampledShare } from '../../../supervisor/logs/otlp/settings.ts'
import { readSpans } from '../../../supervisor/logs/otlp/span-line.ts'

const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }

describe('logs/otlp: settings', () => {
  const urls = (env: Record<string, string>) => otlpSettings(env).settings?.urls

  it('are those of the standard variables', () => {
    assert.equal(urls({}), undefined)
    assert.equal(urls({ ...base, OTEL_SDK_DISABLED: 'true' }), undefined)
    assert.deepEqual(urls(base), {
      logs: 'http://collector:4318/v1/logs',
      metrics: 'http://collector:4318/v1/metrics',
      traces: 'http://collector:4318/v1/traces',
    })
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://a/b', OTEL_LOGS_EXPORTER: 'none' }
    assert.deepEqual(urls({ ...base, ...own, OTEL_METRICS_EXPORTER: 'console,otlp' }), {
      metrics: 'http://collector:4318/v1/metrics',
      traces: 'https://a/b',
    })
    assert.deepEqual(urls({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://a/v1/logs' }), { logs: 'http://a/v1/logs' })
  })

  it('say why an endpoint cannot be used', () => {
    assert.match(otlpSettings({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).refusal ?? '', /grpc/)
    for (const value of ['collector:4318', '"http://collector:4318"', '/v1'])
      assert.deepEqual(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: value }), {
        settings: undefined,
        refusal: 'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL',
      })
    const own = otlpSettings({ ...base, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'collector' })
    assert.deepEqual(Object.keys(own.settings?.urls ?? {}), ['metrics', 'traces'])
    assert.match(own.refusal ?? '', /^OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is not/)
    assert.equal(
      otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_SDK_DISABLED: 'true' }).refusal,
      undefined,
    )
  })

  it('sample new traces as the SDK of the app would', () => {
    const share = (sampler: string, argument?: string) =>
      sampledShare({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument })
    assert.deepEqual(
      [sampledShare({}), share('always_off'), share('parentbased_traceidratio', '0.25'), share('traceidratio', 'x')],
      [1, 0, 0.25, 1],
    )
  })
})

describe('logs/otlp: records', () => {
  it('of a JSON line have its message, trace and fields', () => {
    const text = JSON.stringify({
      level: 'warn',
      msg: 'slow',
      trace_id: 'a'.repeat(32),
      span_id: 'b'.repeat(16),
      ms: 1.5,
      ok: true,
    })
    const line = { id: 1, time: '2026-11-21T10:00:00.123Z', source: 'app.1', level: 'warn' as const, text, pid: 7 }
    assert.deepEqual(logRecord(line), {
      timeUnixNano: '1795255200123000000',
      observedTimeUnixNano: '1795255200123000000',
      severityNumber: 13,
      severityText: 'WARN',
      body: { stringValue: 'slow' },
      attributes: [
        { key: 'log.source', value: { stringValue: 'app.1' } },
        { key: 'process.pid', value: { intValue: '7' } },
        { key: 'ms', value: { doubleValue: 1.5 } },
        { key: 'ok', value: { boolValue: true } },
      ],
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
    })
  })

  it('of a counter are a sum that grows', () => {
    const metric = {
      name: 'a_total',
      type: 'counter' as const,
      help: 'A',
      samples: [{ labels: { app: 'x' }, value: 3 }],
    }
    assert.deepEqual(metricRecord(metric, { startedMs: 1000, nowMs: 2000.5 }), {
      name: 'monohull_a_total',
      description: 'A',
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [
          {
            attributes: [{ key: 'app', value: { stringValue: 'x' } }],
            timeUnixNano: '2000500000',
            startTimeUnixNano: '1000000000',
            asDouble: 3,
          },
        ],
      },
    })
  })

  it('of a span are read from whole lines only', () => {
    const line = (status: number, agent: string) =>
      `1764000001.250 0.500 ${status} {"traceId":"${'a'.repeat(32)}","attributes":[{"key":"${agent}"}`
    assert.deepEqual(readSpans(Buffer.from(`["a"]\n${line(200, 'x').slice(0, -1)}\n`)), [])
    const [fine, failed] = readSpans(Buffer.from(`${line(200, '\xff')}\n${line(502, '')}\n`, 'latin1')).map(text =>
      JSON.parse(text),
    )
    assert.deepEqual(fine, {
      traceId: 'a'.repeat(32),
      attributes: [{ key: '\\xFF' }],
      status: {},
      startTimeUnixNano: '1764000000750000000',
      endTimeUnixNano: '1764000001250000000',
    })
    assert.deepEqual(failed.attributes[1], { key: 'error.type', value: { stringValue: '502' } })
    assert.equal(failed.status.code, 2)
  })
})

describe('logs/otlp: the exporter', () => {
  function start(deliveries: Delivery[]) {
    const timers: { at: number; run: () => void }[] = []
    let now = 0
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      after(delay, run) {
        const timer = { at: now + delay, run }
        timers.push(timer)
        return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0)
      },
    }
    const sent: number[] = []
    const reports: string[] = []
    const note = (message: string) => void reports.push(message)
    const exporter = createExporter({
      clock,
      log: { warn: note, info: note },
      signal: 'logs',
      delayMs: 1000,
      async send(records) {
        sent.push(records.length)
        return deliveries.shift() ?? { kind: 'delivered' }
      },
    })
    const advance = async (ms: number) => {
      now += ms
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1)
        timer.run()
      }
      await new Promise(setImmediate)
    }
    const add = (count: number) => {
      for (let number = 0; number < count; number++) exporter.add({ service: 'a', record: String(number) })
    }
    return { exporter, sent, reports, advance, add }
  }

  it('collects records, and sends full batches at once', async () => {
    const { sent, advance, add } = start([])
    add(3)
    await advance(999)
    assert.deepEqual(sent, [])
    await advance(1)
    assert.deepEqual(sent, [3])
    add(1100)
    await advance(0)
    await advance(0)
    assert.deepEqual(sent, [3, 512, 512])
    await advance(1000)
    assert.deepEqual(sent, [3, 512, 512, 76])
  })

  it('tries again with growing delays, and when the receiver asks for it', async () => {
    const failed = { kind: 'failed', reason: 'status 503' } as const
    const { sent, reports, advance, add } = start([failed, failed, { ...failed, retryMs: 60_000 }])
    add(1)
    for (const ms of [1000, 999, 1, 1999, 1]) await advance(ms)
    assert.deepEqual(sent, [1, 1, 1])
    await advance(59_999)
    assert.deepEqual(sent, [1, 1, 1])
    await advance(1)
    assert.deepEqual(sent, [1, 1, 1, 1])
    assert.deepEqual(reports, ['cannot export telemetry, it will be tried again', 'telemetry is exported again'])
  })

  it('is bounded: it drops the oldest, and what is rejected, and counts both', async () => {
    const { exporter, sent, advance, add } = start([
      { kind: 'failed', reason: 'gone' },
      { kind: 'rejected', reason: 'status 400' },
    ])
    add(1)
    await advance(1000)
    add(20_000)
    await advance(0)
    const lost = exporter.dropped()
    assert.ok(lost >= 20_001 - 8192 - 512 && lost <= 20_001 - 8192, String(lost))
    await advance(1000)
    assert.deepEqual(sent, [1, 512])
    assert.equal(exporter.dropped(), lost + 512)
  })

  it('counts what a receiver did not take of a batch, and sends it no more', async () => {
    const { exporter, sent, reports, advance, add } = start([{ kind: 'delivered', refused: 2, reason: 'too old' }])
    add(3)
    await advance(1000)
    await advance(60_000)
    assert.deepEqual([sent, reports, exporter.dropped()], [[3], ['telemetry was rejected'], 2])
  })
})
