import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, startMonohull, until } from './monohull.ts'
import { startOtlpReceiver } from './otlp-receiver.ts'

describe('OTLP', () => {
  it('exports logs, metrics and spans of requests, beside stdout', async t => {
    const receiver = await startOtlpReceiver(t)
    const files = { 'monohull.yaml': 'https: off\ntrusted_proxies: [127.0.0.2]\napp: { workers: 1 }\n' }
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20c2VjcmV0,x-tenant=a',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_METRIC_EXPORT_INTERVAL: '300',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], env, files })
    await monohull.serving()
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, 'user-agent': 'test "\u00fc' }
    const seen = JSON.parse((await monohull.request({ path: '/kept?token=secret', headers, from: '127.0.0.2' })).body)
    const [, , parent] = seen.headers.traceparent.split('-')
    const { resource, record } = await receiver.find('traces', ({ record }) => record.traceId === trace)
    assert.deepEqual([resource['service.name'], resource['deployment.environment.name']], ['shop-front', 'test'])
    assert.deepEqual([record.spanId, record.parentSpanId, record.kind], [parent, 'b7ad6b7169203331', 2])
    const { attributes } = record
    assert.deepEqual(
      [
        attributes['url.path'],
        attributes['http.response.status_code'],
        attributes['monohull.worker'],
        attributes['network.protocol.version'],
      ],
      ['/kept', '200', 'app.1', '1.1'],
    )
    const lasted = BigInt(record.endTimeUnixNano as string) - BigInt(record.startTimeUnixNano as string)
    assert.ok(lasted >= 0n && lasted < 5_000_000_000n, `${lasted}`)

    const unsampled = { traceparent: '00-11111111111111111111111111111111-b7ad6b7169203331-00' }
    await monohull.request({ headers: unsampled, from: '127.0.0.2' })
    const { body } = await monohull.request()
    const [, made] = JSON.parse(body).headers.traceparent.split('-')
    const root = await receiver.find('traces', one => one.record.traceId === made)
    assert.equal(root.record.parentSpanId, '')
    assert.ok(!receiver.received('traces').some(one => `${one.record.traceId}`.startsWith('1111')))

    const line = await receiver.find('logs', one => JSON.stringify(one.record.body).includes('listening on'))
    assert.deepEqual([line.resource['service.name'], line.record.severityNumber], ['shop', 9])
    assert.equal(line.record.attributes['log.source'], 'app.1')
    await receiver.find('logs', one => one.resource['service.name'] === 'shop-front')
    await receiver.find('metrics', ({ record }) => record.name === 'monohull_ready' && 'gauge' in record)

    // a receiver that fails, and is back
    receiver.respond(503, { 'retry-after': '1' })
    await monohull.request({ path: '/meanwhile' })
    await monohull.seen(/warn cannot export telemetry, it will be tried again signal=\w+ reason="status 503"/)
    receiver.respond(undefined)
    await receiver.find('traces', one => one.record.attributes['url.path'] === '/meanwhile')

    // one that asks for a pause by a date, and one that does not take all
    receiver.respond(429, { 'retry-after': new Date(Date.now() + 2000).toUTCString() })
    await monohull.request({ path: '/later' })
    await monohull.seen(/warn cannot export telemetry, it will be tried again signal=\w+ reason="status 429"/)
    receiver.respond(200, {}, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}')
    await receiver.find('traces', one => one.record.attributes['url.path'] === '/later')
    await monohull.seen(/warn telemetry was rejected signal=traces reason="too old" records=1/)
    receiver.respond(undefined)

    assert.deepEqual(receiver.problems, [])
    const [first] = receiver.headers
    assert.deepEqual(
      [first?.authorization, first?.['x-tenant'], first?.['content-encoding']],
      ['Basic c2VjcmV0', 'a', 'gzip'],
    )
    assert.doesNotMatch(monohull.output(), /c2VjcmV0/)
  })

  it('warns of gRPC, which it does not speak, and lets the app have a share of new traces', async t => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      MONOHULL_HTTPS: 'off',
      MONOHULL_WORKERS: '1',
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], env })
    await monohull.serving()
    await monohull.seen(/warn telemetry is not exported by OTLP reason="OTEL_EXPORTER_OTLP_PROTOCOL is grpc"/)
    const { headers } = JSON.parse((await monohull.request()).body)
    assert.match(headers.traceparent, /-00$/)
    await until('nothing else', () => !/cannot export/.test(monohull.output()))
  })
})
