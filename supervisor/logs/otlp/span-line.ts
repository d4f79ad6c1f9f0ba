import { isUtf8 } from 'node:buffer'
import { validText } from '../../base/valid-text.ts'

/** Name of the file that nginx logs spans to. */
export const spanLogName = 'spans.log'

const texts = {
  'http.request.method': '$monohull_span_method',
  'url.path': '$monohull_path',
  'url.scheme': '$scheme',
  'server.address': '$host',
  'client.address': '$monohull_logged_addr',
  'user_agent.original': '$http_user_agent',
  'network.protocol.version': '$monohull_http_version',
  'monohull.worker': '$monohull_peer',
}

/**
 * Lines for the http block: the format of spans, in which nginx writes most of a span as it is exported. The supervisor adds its times, which
 * nginx cannot compute, so that a span costs little.
 */
export function renderSpanFormat(): string[] {
  const attributes = Object.entries(texts).map(
    ([key, variable]) => `{"key":"${key}","value":{"stringValue":"${variable}"}}`,
  )
  const status = '{"key":"http.response.status_code","value":{"intValue":"$monohull_status"}}'
  const ids = '"traceId":"$monohull_trace_id","spanId":"$monohull_span_id","parentSpanId":"$monohull_parent_id"'
  const rest = `"name":"$monohull_span_name","kind":2,"attributes":[${[...attributes, status].join(',')}`
  return [
    'map $monohull_method $monohull_span_method {',
    '    default _OTHER;',
    '    "~^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$" $monohull_method;',
    '}',
    'map $monohull_span_method $monohull_span_name { default $monohull_span_method; _OTHER HTTP; }',
    `map $server_protocol $monohull_http_version { default ''; "~^HTTP/(?<monohull_version_number>.+)$" $monohull_version_number; }`,
    `log_format monohull_span escape=json '$msec $request_time $monohull_status {${ids},${rest}';`,
  ]
}

const written = /^(\d+)\.(\d{3}) (\d+)\.(\d{3}) (\d{1,3}) (\{"traceId":"[0-9a-f]{32}",.*\})$/

/** Spans of whole lines, as JSON. Lines that are none are left out. */
export function readSpans(lines: Buffer): string[] {
  const text = isUtf8(lines) ? lines.toString() : validText(lines, '\\\\x')
  return text.split('\n').flatMap(line => {
    const [, seconds, ms, lasted, lastedMs, status, span] = written.exec(line) ?? []
    if (span === undefined) return []
    const endMs = Number(seconds) * 1000 + Number(ms)
    const startMs = endMs - Number(lasted) * 1000 - Number(lastedMs)
    const times = `"startTimeUnixNano":"${startMs}000000","endTimeUnixNano":"${endMs}000000"`
    return [`${span}${Number(status) >= 500 ? errorOf(status) : '],"status":{}'},${times}}`]
  })
}

function errorOf(status: string | undefined): string {
  return `,{"key":"error.type","value":{"stringValue":"${status}"}}],"status":{"code":2}`
}
