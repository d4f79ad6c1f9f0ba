import { validText } from '../../base/valid-text.ts'

/** Request as nginx logs it for a span. */
export interface AccessSpan {
  traceId: string
  spanId: string
  /** Empty for the first span of a trace. */
  parentId: string
  endMs: number
  seconds: number
  method: string
  path: string
  status: number
  scheme: string
  host: string
  client: string
  userAgent: string
  protocol: string
  worker: string
}

/** Name of the file that nginx logs spans to. */
export const spanLogName = 'spans.log'

const variables = [
  '$monohull_trace_id',
  '$monohull_span_id',
  '$monohull_parent_id',
  '$msec',
  '$request_time',
  '$monohull_method',
  '$monohull_path',
  '$monohull_status',
  '$scheme',
  '$host',
  '$monohull_logged_addr',
  '$http_user_agent',
  '$server_protocol',
  '$monohull_peer',
]

/** Log format of spans, for the http block: texts in JSON. */
export const spanFormat = `log_format monohull_span escape=json '[${variables.map(name => `"${name}"`).join(',')}]';`

/** Spans of whole lines. Lines that are none are left out. */
export function readSpans(lines: Buffer): AccessSpan[] {
  return validText(lines, '\\\\x')
    .split('\n')
    .flatMap(line => {
      const words = wordsOf(line)
      if (words.length !== variables.length) return []
      const [traceId = '', spanId = '', parentId = '', end, seconds, method = '', path = '', status, ...rest] = words
      const [scheme = '', host = '', client = '', userAgent = '', protocol = '', worker = ''] = rest
      return [
        {
          ...{ traceId, spanId, parentId, endMs: Number(end) * 1000, seconds: Number(seconds), method, path },
          ...{ status: Number(status), scheme, host, client, userAgent, protocol, worker },
        },
      ]
    })
}

function wordsOf(line: string): string[] {
  try {
    return line === '' ? [] : JSON.parse(line)
  } catch {
    return []
  }
}
