import type { Runtime } from '../base/runtime.ts'
import type { UpstreamEntry } from './entry.ts'
import { recordCheck, type ServerHealth, unchecked } from './health.ts'
import type { UpstreamConfig } from './keys.ts'
import { isName, tlsName } from './names.ts'

/** What a server elsewhere is asked. */
export interface HealthRequest {
  address: string
  port: number
  path: string
  /** For the Host header. */
  host: string
  tls: { name: string | undefined; verify: boolean; ca?: string | undefined } | undefined
  timeoutMs: number
}

/** Asks a server elsewhere whether it is well. */
export interface UpstreamProbe {
  /** Undefined when it is, else why not. */
  failureOf(question: HealthRequest): Promise<string | undefined>
}

/** The checks of one upstream's servers. */
export interface UpstreamChecks {
  start(): void
  healthOf(entry: UpstreamEntry): ServerHealth
  /** What was found out so far by endpoint, for a successor. */
  snapshot(): ReadonlyMap<string, ServerHealth>
  stop(): void
}

export interface UpstreamChecksDeps extends Pick<Runtime, 'clock' | 'log'> {
  probe: UpstreamProbe
  /** The servers at the addresses that are known now. */
  entries(): readonly UpstreamEntry[]
  /** A server whose host is a name has failed a check. */
  onFailing(name: string): void
  /** A server is up or down now that was not. */
  onChange(): void
}

export interface CheckedUpstream {
  name: string
  config: UpstreamConfig
  policy: NonNullable<UpstreamConfig['health']>
}

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
    // it may be elsewhere by now, long before its name no longer holds: a container that came back
    const ill = checked.flatMap(({ server }, index) => (failures[index] && isName(server.host) ? server.host : []))
    for (const host of new Set(ill)) onFailing(host)
    const wasAnyUp = checked.some(isUp)
    const present = new Set(entries().map(({ endpoint }) => endpoint))
    for (const endpoint of health.keys()) if (!present.has(endpoint)) health.delete(endpoint)
    for (const [index, entry] of checked.entries()) if (present.has(entry.endpoint)) note(entry, failures[index])
    if (wasAnyUp && !checked.some(isUp))
      log.error('every server of an upstream fails its checks, requests go to all of them', { upstream: name })
    cancel = clock.after(policy.interval, () => void check())
  }

  function note(entry: UpstreamEntry, failure: string | undefined): void {
    const was = healthOf(entry)
    const now = recordCheck(was, { failure, at: clock.monotonic() }, policy)
    health.set(entry.endpoint, now)
    if (now.isUp === was.isUp) return
    const fields = { upstream: name, server: entry.endpoint }
    if (now.isUp) log.info('a server is well again', fields)
    else log.warn('a server fails its checks', { ...fields, reason: failure })
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
