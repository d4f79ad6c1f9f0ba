import { includeHeaders } from '../front/headers.ts'
import { block } from '../nginx/text.ts'

/** An error of the front as a gRPC status (grpc/doc/statuscodes.md), for nginx's own HTTP statuses. */
interface GrpcError {
  /** Name of its location. */
  name: string
  status: number
  message: string
  causes: readonly number[]
}

const errors: readonly GrpcError[] = [
  { name: 'unavailable', status: 14, message: 'no server is available', causes: [500, 502, 503] },
  { name: 'deadline', status: 4, message: 'no message within read_timeout', causes: [504] },
  { name: 'exhausted', status: 8, message: 'a limit of the front is reached', causes: [413, 429] },
  { name: 'denied', status: 7, message: 'access denied', causes: [403, 495, 496] },
  { name: 'unauthenticated', status: 16, message: 'credentials required', causes: [401] },
  { name: 'unimplemented', status: 12, message: 'unknown method', causes: [404] },
  { name: 'internal', status: 13, message: 'malformed request', causes: [400, 408, 414, 494] },
]

const locationOf = ({ name }: GrpcError) => `@monohull_grpc_${name}`

/** Error rules for the locations of a gRPC route, in place of those with pages. */
export const grpcErrorRules: readonly string[] = errors.map(
  error => `error_page ${error.causes.join(' ')} = ${locationOf(error)};`,
)

/** Locations of a server with gRPC routes: a response of trailers only, which has the HTTP status 200 (grpc/doc/PROTOCOL-HTTP2.md). */
export function renderGrpcErrors(): string[] {
  return [
    '# app, apps, upstreams',
    ...errors.flatMap(error =>
      block(locationOf(error), [
        'default_type application/grpc;',
        includeHeaders,
        `add_header grpc-status ${error.status} always;`,
        `add_header grpc-message "${error.message}" always;`,
        'return 200;',
      ]),
    ),
  ]
}

/**
 * Limits for the locations of a gRPC route. A stream has no size, and a client may wait for messages of the server without sending any.
 * `bodySize`: that of the route itself.
 */
export function renderStreamLimits(bodySize: string | undefined, readTimeoutMs: number | undefined): string[] {
  return [
    ...(bodySize === undefined ? ['client_max_body_size 0;'] : []),
    `client_body_timeout ${readTimeoutMs === undefined ? '60s' : `${readTimeoutMs}ms`};`,
  ]
}
