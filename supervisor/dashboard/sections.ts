/** Last end of a worker or process that nobody requested. */
interface LastDeathRow {
  /** ISO 8601. */
  at: string
  exit: string
  reason: string | undefined
  line: string | undefined
  requests: readonly string[]
}

/** What a process uses. Sizes are in bytes, times in seconds; undefined: unknown. */
export interface UsageRow {
  rss?: number | undefined
  cpuSeconds?: number | undefined
  /** CPUs in use since the last sample. */
  cpu?: number | undefined
  descriptors?: number | undefined
  /** Mean delay of the event loop, and share of the time in which it was busy, from 0 to 1. */
  loopDelay?: number | undefined
  loopUse?: number | undefined
  /** Connections that wait in the socket. */
  queue?: number | undefined
}

/** Requests of a worker. */
export interface WorkerRequests {
  total: number
  inFlight: number
  oldest?: { method: string; path: string; ageSeconds: number } | undefined
}

/** Worker or background process. */
export interface ProgramRow {
  name: string
  state: string
  pid: number | undefined
  uptimeSeconds: number | undefined
  crashes: number
  replacements: number
  lastDeath?: LastDeathRow | undefined
  isInRotation?: boolean
  waitsFor?: readonly string[] | undefined
  health?: { failures: number; limit: number; problem: string | undefined } | undefined
  usage?: UsageRow | undefined
  requests?: WorkerRequests | undefined
  /** RSS after which it is replaced, in bytes. */
  memoryLimit?: number | undefined
}

/** Command that runs at times. Times are ISO 8601. */
export interface JobRow {
  name: string
  schedule: string
  timezone: string
  state: string
  isPaused: boolean
  runningSince: string | undefined
  nextAt: string | undefined
  last: { startedAt: string; result: string } | undefined
  missed: number
}

/** Route and the chain that leads to its target. */
export interface RouteRow {
  host: string | undefined
  path: string
  match: string
  kind: string
  /** `app web`, `/var/www`, `https://example.com (308)` */
  target: string
  /** What a request passes on its way: `basic_auth`, `rate_limit`. */
  guards: readonly string[]
}

/** Server of an upstream. */
export interface UpstreamRow {
  upstream: string
  server: string
  address: string | undefined
  state: string
  isInRotation: boolean
  sinceSeconds: number | undefined
  reason: string | undefined
}

/** Next order of a certificate. */
export interface RenewalRow {
  name: string
  at: string | undefined
  why: string
  lastError: string | undefined
}

/** Certificate that is served. */
export interface CertificateRow {
  names: readonly string[]
  source: string
  issuer: string
  notBefore: string
  notAfter: string
  remarks: readonly string[]
  renewal: RenewalRow | undefined
}

/** Instance with the same shared state. Times are ISO 8601. */
export interface ReplicaRow {
  /** Id of its run. */
  id: string
  host: string
  instance: string
  version: string
  state: string
  /** Workers that are ready, of all. */
  workers: { ready: number; all: number }
  startedAt: string
  seenAt: string
  /** Whether it is the instance that shows the page. */
  isThis: boolean
  /** Its last events, the newest last. */
  events: readonly { time: string; message: string; subject?: string | undefined }[]
}

/** Instances with the same shared state, as they last were. */
export interface ReplicasSection {
  rows: readonly ReplicaRow[]
  /** Number of all, of which `rows` may have a part. */
  all: number
  /** Number of those that are ready. */
  ready: number
  /** Why they are not known, or not as they are now. */
  problem: string | undefined
}

/** CPU, memory and disks of the container. Sizes in bytes. */
export interface ContainerSection {
  cpus?: number | undefined
  memory?: number | undefined
  memoryLimit?: number | undefined
  throttledSeconds?: number | undefined
  oomKills?: number | undefined
  disks?: readonly { name: string; path: string; free: number; size: number }[] | undefined
}

/** Everything that the status page shows beside history, log and events. */
export interface Sections {
  run: {
    version: string
    state: 'ready' | 'not ready' | 'stopping'
    pid: number
    /** ISO 8601. */
    startedAt: string
    warnings: readonly string[]
    http: readonly string[]
    https: readonly string[]
    configFile: string | undefined
    lastReload: { at: string; ok: boolean; text: string } | undefined
    oldNginxWorkers: number
    /** Why requests are not counted; undefined if they are. */
    uncounted: string | undefined
    /** Lines that the log of the page does not have, in a sentence each. */
    missingLines: readonly string[]
    /** Whether the page may change something. */
    actions: boolean
  }
  maintenance: { since: string; allow: readonly string[]; message?: string | undefined } | undefined
  /** End of a pause, ISO 8601. */
  pausedUntil: string | undefined
  connections: { open: number; limit: number; dropped: number } | undefined
  apps: readonly { name: string; min?: number | undefined; max?: number | undefined }[]
  workers: readonly ProgramRow[]
  processes: readonly ProgramRow[]
  jobs: readonly JobRow[]
  routes: readonly RouteRow[]
  dynamicRoutes: { routes: number; isPartial?: boolean | undefined; problem?: string | undefined } | undefined
  upstreams: readonly UpstreamRow[]
  certificates:
    | { served: readonly CertificateRow[]; awaited: readonly RenewalRow[]; problems: readonly string[] }
    | undefined
  container: ContainerSection | undefined
  /** Undefined unless there is a shared state. */
  replicas: ReplicasSection | undefined
}
