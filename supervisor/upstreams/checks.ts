import type { Runtime } from '../base/runtime.ts'
import type { UpstreamEntry } from './entry.ts'
import { recordCheck, type ServerHealth, unchecked } from './health.ts'
import type { UpstreamConfig } from './keys.ts'
import { isName, tlsName } from './names.ts'

/** Health-check request to one server of an upstream. */
export interface HealthRequest {
  address: string
  port: number
  path: string
  /** Value of the Host header. */
  host: string
  tls: { name: string | undefined; verify: boolean; ca?: string | undefined } | undefined
  timeoutMs: number
}

/** Sends health-check requests. */
export interface UpstreamProbe {
  /** Reason why a check failed; undefined if it succeeded. */
  failureOf(request: HealthRequest): Promise<string | undefined>
}

/** Periodic health checks of one upstream's servers. */
export interface UpstreamChecks {
  start(): void
  healthOf(entry: UpstreamEntry): ServerHealth
  /** Health by endpoint, from which the next instance continues. */
  snapshot(): ReadonlyMap<string, ServerHealth>
  stop(): void
}

/** Dependencies of the health checks. */
export interface UpstreamChecksDeps extends Pick<Runtime, 'clock' | 'log'> {
  probe: UpstreamProbe
  /** The servers at their currently known addresses. */
  entries(): readonly UpstreamEntry[]
  /** Called with a server's name when the server failed a check. */
  onFailing(name: string): void
  /** Called when a server went up or down. */
  onChange(): void
}

/** An upstream with health checks. */
export interface CheckedUpstream {
  name: string
  config: UpstreamConfig
  policy: NonNullable<UpstreamConfig['health']>
}

/** Health checks of one upstream; `before` is the snapshot of a previous instance. */
export function createUpstreamChecks(
  { clock, log, probe, entries, onFailing, onChange }: UpstreamChecksDeps,
  { name, config, policy }: CheckedUpstream,
  before?: ReadonlyMap<string, ServerHealth>,
): UpstreamChecks {
  const health = new Map(
    entries().map((entry): [string, ServerHealth] => [entry.endpoint, before?.get(entry.endpoint) ?? unchecked]),
  )
  let cancel = () => {}
  let isStopped = false

  const healthOf = ({ endpoint }: UpstreamEntry) => health.get(endpoint) ?? unchecked
  const isUp = (entry: UpstreamEntry) => healthOf(entry).isUp

  function ask({ server, address }: UpstreamEntry): Promise<string | undefined> {
    const { tls, host } = config
    return probe.failureOf({
      address,
      port: server.port,
      path: policy.path,
      host: host ?? server.host,
      tls: tls && { ...tls, name: tlsName(config) },
      timeoutMs: policy.timeout,
    })
  }

  async function check(): Promise<void> {
    const checked = entries()
    const failures = await Promise.all(checked.map(ask))
    if (isStopped) return
    // a restarted container has a new address long before the TTL of its name expires
    const failing = checked.flatMap(({ server }, index) => (failures[index] && isName(server.host) ? server.host : []))
    for (const host of new Set(failing)) onFailing(host)
    const wasAnyUp = checked.some(isUp)
    const present = new Set(entries().map(({ endpoint }) => endpoint))
    for (const endpoint of health.keys()) if (!present.has(endpoint)) health.delete(endpoint)
    for (const [index, entry] of checked.entries()) if (present.has(entry.endpoint)) record(entry, failures[index])
    if (wasAnyUp && !checked.some(isUp))
      log.error('all servers of an upstream fail their health checks, requests go to all of them', { upstream: name })
    cancel = clock.after(policy.interval, () => void check())
  }

  function record(entry: UpstreamEntry, failure: string | undefined): void {
    const was = healthOf(entry)
    const now = recordCheck(was, { failure, at: clock.monotonic() }, policy)
    health.set(entry.endpoint, now)
    if (now.isUp === was.isUp) return
    const fields = { upstream: name, server: entry.endpoint }
    if (now.isUp) log.info('server is healthy again', fields)
    else log.warn('server fails its health checks', { ...fields, reason: failure })
    onChange()
  }

  return {
    start: () => void check(),
    healthOf,
    snapshot: () => health,
    stop() {
      isStopped = true
      cancel()
    },
  }
}
