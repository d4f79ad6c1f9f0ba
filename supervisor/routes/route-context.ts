import type { Protocol } from '../nginx/protocol.ts'

/** Problem of a route in its context, with its fix. */
export interface RouteProblem {
  path: (string | number)[]
  message: string
  /** `also`: another key that is part of the problem; the report shows its line too. */
  params: { fix: string; also?: (string | number)[] }
}

/** Configuration that routes are checked against: possible targets and reserved paths. */
export interface RouteContext {
  apps: readonly string[]
  upstreams: readonly string[]
  /** Protocol of an app or upstream. */
  protocolOf?(kind: 'app' | 'upstream', name: string): Protocol | undefined
  health: { live_path: string; ready_path: string }
  basic_auth: { file?: string | undefined }
  allow?: unknown
  deny?: unknown
  tls: { client_certificates?: { mode: string } | undefined }
}
