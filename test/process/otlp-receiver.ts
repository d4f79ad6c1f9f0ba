import http from 'node:http'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { defer, until } from './monohull.ts'

/** Value of an attribute, in the JSON mapping of OTLP. */
type AnyValue = { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean }
interface KeyValue {
  key: string
  value: AnyValue
}

/** Signals of OTLP, by their name in the path. */
export type Signal = 'traces' | 'logs' | 'metrics'

/** Record of a signal with the attributes of its resource. */
export interface Received {
  resource: Record<string, unknown>
  record: Record<string, unknown> & { attributes: Record<string, unknown> }
}

export interface OtlpReceiver {
  endpoint: string
  /** Headers of the requests so far. */
  headers: http.IncomingHttpHeaders[]
  /** Problems of requests: what the protocol does not allow. */
  problems: string[]
  received(signal: Signal): Received[]
  find(signal: Signal, test: (one: Received) => boolean): Promise<Received>
  /** Status and body of the next responses; undefined: 200. */
  respond(status: number | undefined, headers?: http.OutgoingHttpHeaders, body?: string): void
}

const lists = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const
const traceId = /^(?!0{32})[0-9a-f]{32}$/
const spanId = /^(?!0{16})[0-9a-f]{16}$/
const nanoseconds = /^\d{19}$/

/** Receiver of OTLP/HTTP in JSON (opentelemetry.io/docs/specs/otlp) that checks what it receives. Ends with the test. */
export async function startOtlpReceiver(t: TestContext): Promise<OtlpReceiver> {
  const found: Record<Signal, Received[]> = { traces: [], logs: [], metrics: [] }
  const problems: string[] = []
  const headers: http.IncomingHttpHeaders[] = []
  let next: { status: number; headers: http.OutgoingHttpHeaders; text: string } | undefined
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    headers.push(request.headers)
    const answer = next ?? { status: 200, headers: {}, text: '{}' }
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.text)
    if (answer.status !== 200) return
    const signal = /^\/v1\/(traces|logs|metrics)$/.exec(request.url ?? '')?.[1] as Signal | undefined
    if (signal === undefined || request.method !== 'POST') return void problems.push(`${request.method} ${request.url}`)
    if (request.headers['content-type'] !== 'application/json') problems.push(`type ${request.headers['content-type']}`)
    const bytes = Buffer.concat(chunks)
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
    const [ofResource, ofScope, records] = lists[signal]
    for (const group of JSON.parse(text.toString())[ofResource])
      for (const scope of group[ofScope])
        for (const record of scope[records]) {
          problems.push(...problemsOf(signal, record))
          found[signal].push({
            resource: attributesOf(group.resource.attributes),
            record: { ...record, attributes: attributesOf(record.attributes ?? []) },
          })
        }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    headers,
    problems,
    received: signal => found[signal],
    find: (signal, test) =>
      until(`one of ${signal}`, () => found[signal].find(test), { details: () => JSON.stringify(found[signal]) }),
    respond(status, more = {}, text = '{}') {
      next = status === undefined ? undefined : { status, headers: more, text }
    },
  }
}

function attributesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

function problemsOf(signal: Signal, record: Record<string, unknown>): string[] {
  const checks: Record<Signal, [string, RegExp, boolean][]> = {
    traces: [
      ['traceId', traceId, true],
      ['spanId', spanId, true],
      ['parentSpanId', spanId, false],
      ['startTimeUnixNano', nanoseconds, true],
      ['endTimeUnixNano', nanoseconds, true],
      ['kind', /^[1-5]$/, true],
      ['name', /./, true],
    ],
    logs: [
      ['traceId', traceId, false],
      ['spanId', spanId, false],
      ['timeUnixNano', nanoseconds, true],
      ['severityNumber', /^([1-9]|1\d|2[0-4])$/, false],
    ],
    metrics: [['name', /^[A-Za-z][A-Za-z0-9_./-]{0,254}$/, true]],
  }
  return checks[signal].flatMap(([name, pattern, isRequired]) => {
    const value = record[name]
    if (value === undefined || value === '') return isRequired ? [`${signal} without ${name}`] : []
    return pattern.test(String(value)) ? [] : [`${name} ${String(value)}`]
  })
}
