import type { LogFormat } from '../base/log.ts'

/** nginx variable of each field of an access line, which a map of nginx/snippets makes fit for JSON. */
const variables = {
  remote_addr: '$monohull_logged_addr',
  method: '$monohull_method',
  scheme: '$scheme',
  host: '$host',
  uri: '$monohull_logged_uri',
  path: '$monohull_path',
  protocol: '$server_protocol',
  status: '$monohull_status',
  bytes: '$body_bytes_sent',
  bytes_received: '$request_length',
  seconds: '$request_time',
  worker: '$monohull_responder',
  upstream: '$monohull_responding_server',
  upstream_seconds: '$monohull_upstream_seconds',
  cache: '$upstream_cache_status',
  tls: '$ssl_protocol',
  referer: '$monohull_logged_referer',
  user_agent: '$http_user_agent',
  grpc_status: '$sent_http_grpc_status$sent_trailer_grpc_status',
  request_id: '$monohull_logged_id',
  trace_id: '$monohull_logged_trace',
} as const

/** Field of an access line. */
export type AccessField = keyof typeof variables

/** Names of the fields. */
export const accessFields = Object.keys(variables) as [AccessField, ...AccessField[]]

const numbers: ReadonlySet<AccessField> = new Set(['status', 'bytes', 'bytes_received', 'seconds', 'upstream_seconds'])

/** Log format with these fields, for the http block. */
export function renderAccessFormat(name: string, format: LogFormat, fields: readonly AccessField[]): string {
  const values = fields.map(field => {
    const value = numbers.has(field) ? variables[field] : `"${variables[field]}"`
    return format === 'json' ? `"${field}":${value}` : `${field}=${value}`
  })
  if (format === 'json') {
    const head = '"time":"$time_iso8601","source":"nginx","pid":$pid,"stream":"access"'
    return `log_format ${name} escape=json '{${[head, ...values].join(',')}}';`
  }
  const head = format === 'short' ? '$monohull_time_of_day nginx |' : '$time_iso8601 nginx[$pid] access|'
  return `log_format ${name} '${[head, ...values].join(' ')}';`
}
