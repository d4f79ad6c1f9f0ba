import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'
import { startOtlpReceiver } from './otlp-receiver.ts'

const packages = [
  '@opentelemetry/sdk-node@0.301.0',
  '@opentelemetry/exporter-trace-otlp-http@0.301.0',
  '@opentelemetry/instrumentation-http@0.301.0',
]

/** Directory with OpenTelemetry's SDK, which npm installs once into the cache. */
function openTelemetry(): string {
  const directory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull/opentelemetry-0.301.0')
  if (existsSync(directory)) return join(directory, 'node_modules')
  const staging = `${directory}.${process.pid}`
  mkdirSync(staging, { recursive: true })
  writeFileSync(join(staging, 'package.json'), '{ "private": true }')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...packages]
  execFileSync('npm', args, { cwd: staging, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(directory, { recursive: true, force: true })
  renameSync(staging, directory)
  return join(directory, 'node_modules')
}

describe('trace context', () => {
  it('spans of an app with OpenTelemetry’s SDK belong to the trace in the access log', async t => {
    const receiver = await startOtlpReceiver(t)
    const files = {
      // variables of the container would have nginx export spans as well
      'monohull.yaml': `https: off
trusted_proxies: [127.0.0.2]
log_format: json
app:
  workers: 1
  env:
    NODE_PATH: ${openTelemetry()}
    OTEL_SERVICE_NAME: shop
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ${receiver.endpoint}/v1/traces
    OTEL_BSP_SCHEDULE_DELAY: "50"
`,
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('traced.cjs')], files })
    await monohull.serving()
    const spanOf = (trace: string) =>
      receiver.find('traces', ({ resource, record }) => resource['service.name'] === 'shop' && record.traceId === trace)

    const { body: made } = await monohull.request()
    await spanOf(made)
    await monohull.seen(new RegExp(`"request_id":"${made}","trace_id":"${made}"}\n`))

    await monohull.seen(
      new RegExp(`"source":"app.1".*"message":"handled","request_id":"${made}","trace_id":"${made}"}\n`),
    )

    const kept = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${kept}-b7ad6b7169203331-01` }
    assert.equal((await monohull.request({ headers, from: '127.0.0.2' })).body, kept)
    assert.equal((await spanOf(kept)).record.parentSpanId, 'b7ad6b7169203331')
    await monohull.seen(new RegExp(`"trace_id":"${kept}"}\n`))
    await monohull.seen(
      new RegExp(`"message":"handled","request_id":"(?!${kept})[0-9a-f]{32}","trace_id":"${kept}"}\n`),
    )
    assert.deepEqual(receiver.problems, [])
  })

  it('spans of the app are below those of nginx, if these are exported', async t => {
    const receiver = await startOtlpReceiver(t)
    const env = {
      MONOHULL_HTTPS: 'off',
      MONOHULL_WORKERS: '1',
      NODE_PATH: openTelemetry(),
      OTEL_SERVICE_NAME: 'shop',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('traced.cjs')], env })
    await monohull.serving()
    const { body: trace } = await monohull.request()
    const spanOf = (service: string) =>
      receiver.find(
        'traces',
        ({ resource, record }) => resource['service.name'] === service && record.traceId === trace,
      )
    const [front, app] = [await spanOf('shop-front'), await spanOf('shop')]
    assert.equal(app.record.parentSpanId, front.record.spanId)
    assert.equal(front.record.parentSpanId, '')
  })
})
