/** Upper bounds of the buckets in seconds: those of OpenTelemetry for `http.server.request.duration`. */
export const bucketBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const

/** What nginx has counted since its start. */
export interface RequestCounts {
  series: RequestSeries[]
  /** Requests to apps and upstreams that have not ended. */
  active: ActiveRequests[]
  /** Requests of dynamic routes that have not ended. One that may go to any of several addresses counts for each. */
  addresses: AddressRequests[]
  /** Requests that nginx itself rejected: `rate`, `connections`, `overload`, `body_size`, `auth`, `access`, `host`. */
  rejected: { reason: string; count: number }[]
  /** Requests of routes with a cache, by nginx's result such as `HIT`. */
  cache: { result: string; count: number }[]
  workers: WorkerRequests[]
  /** Numbers that nginx dropped because its memory for them was full, since its start. */
  dropped: number
}

/** Requests that differ in none of these. */
export interface RequestSeries {
  app?: string
  upstream?: string
  /** Path of the route in the configuration; empty for requests that no route got. */
  route: string
  /** `_OTHER` for methods that OpenTelemetry does not know. */
  method: string
  status: number
  scheme: string
  host?: string
  count: number
  /** From the first byte of the request until the response was sent. */
  seconds: number
  /** Requests in each bucket of `bucketBounds`, without those of the buckets before; slower ones are in none. */
  buckets: number[]
  /** Time until the app or upstream had responded, of all tries. */
  workerSeconds: number
  bytesIn: number
  bytesOut: number
}

/** Open requests to an app or upstream. */
export interface ActiveRequests {
  app?: string
  upstream?: string
  count: number
}

/** Open requests to an address of dynamic routes. */
export interface AddressRequests {
  /** `10.0.0.2:5000` */
  address: string
  count: number
}

/** Requests of one worker. */
export interface WorkerRequests {
  /** `app.1` */
  worker: string
  /** Requests that it responded to. */
  requests: number
  inFlight: number
  /** Time that its requests took, all added. */
  busySeconds: number
  /** Connections that wait in its socket; undefined if the kernel does not report them, or without a socket. */
  queue?: number
  /** Of the requests in flight, without WebSockets; its path has no query. */
  oldest?: { method: string; path: string; ageMs: number }
}
