import { formatAddress } from '../base/address.ts'
import type { Runtime } from '../base/runtime.ts'
import type { UpstreamProbe } from './checks.ts'
import { createUpstreamChecks, type UpstreamChecks } from './checks.ts'
import { entriesOf, type UpstreamEntry } from './entry.ts'
import { type ServerHealth, serversInUse, unchecked } from './health.ts'
import type { UpstreamConfig, UpstreamServer } from './keys.ts'
import type { Resolver } from './name-lookups.ts'
import { createNameLookups } from './name-lookups.ts'
import { isName } from './names.ts'
import { describeHealth, describeMissing, describeUnresolved, type UpstreamServerStatus } from './status.ts'
import type { Upstream } from './upstream.ts'

/** Time in which changes are combined, because each report reloads nginx. */
const batchMs = 200

/** Servers of the configured upstreams: their current addresses and health. */
export interface Upstreams {
  /** Starts lookups and health checks. Resolves when all names are known, or after two seconds. */
  start(): Promise<void>
  /** Servers that get requests now. */
  serversOf(upstream: string): Upstream['servers']
  status(): UpstreamServerStatus[]
  /** Names that do not resolve. */
  warnings(): string[]
  /** Addresses and health, from which the next instance continues. */
  snapshot(): Snapshot
  stop(): void
}

/** Dependencies of the upstreams. */
export interface UpstreamsDeps extends Pick<Runtime, 'clock' | 'log'> {
  resolver: Resolver
  probe: UpstreamProbe
  /** Called when the servers of an upstream changed. */
  onChange(): void
}

interface Snapshot {
  /** Addresses by name. */
  addresses: ReadonlyMap<string, readonly string[]>
  /** Health by upstream and endpoint. */
  health: ReadonlyMap<string, ReadonlyMap<string, ServerHealth>>
}

/** Servers of `configs`; `before` is the snapshot of a previous instance. */
export function createUpstreams(
  deps: UpstreamsDeps,
  configs: Readonly<Record<string, UpstreamConfig>>,
  before?: Snapshot,
): Upstreams {
  const { clock } = deps
  const checks = new Map<string, UpstreamChecks>()
  let cancelNotify: (() => void) | undefined
  let isStopped = false
  const lookups = createNameLookups({ ...deps, onChange: changed }, namesIn(configs), before?.addresses)
  // health from `before` counts only with checks: without them, nothing would bring a server back up
  for (const [name, config] of Object.entries(configs)) {
    if (!config.health) continue
    const checksDeps = {
      ...deps,
      entries: () => entriesAt(name),
      onFailing: (host: string) => void lookups.lookUp(host),
    }
    const checked = { name, config, policy: config.health }
    checks.set(name, createUpstreamChecks({ ...checksDeps, onChange: changed }, checked, before?.health.get(name)))
  }

  function changed(): void {
    if (isStopped || cancelNotify) return
    cancelNotify = clock.after(batchMs, () => {
      cancelNotify = undefined
      deps.onChange()
    })
  }

  function entriesAt(upstream: string): UpstreamEntry[] {
    return entriesOf(configs[upstream]?.servers ?? [], lookups.addressesOf)
  }

  function inUse(upstream: string, entries: readonly UpstreamEntry[]): readonly UpstreamEntry[] {
    return serversInUse(entries, entry => healthOf(upstream, entry).isUp)
  }

  function healthOf(upstream: string, entry: UpstreamEntry): ServerHealth {
    return checks.get(upstream)?.healthOf(entry) ?? unchecked
  }

  function statusOf(upstream: string, { servers }: UpstreamConfig): UpstreamServerStatus[] {
    const now = clock.monotonic()
    const textOf = ({ host, port }: UpstreamServer) => formatAddress(host, port)
    const entries = entriesAt(upstream)
    const used = inUse(upstream, entries)
    const missing = servers.filter(server => entries.every(entry => entry.server !== server))
    return [
      ...entries.map(entry => ({
        upstream,
        server: textOf(entry.server),
        address: entry.endpoint,
        isInRotation: used.includes(entry),
        ...describeHealth(healthOf(upstream, entry), now),
      })),
      ...missing.map(server => ({
        upstream,
        server: textOf(server),
        address: undefined,
        isInRotation: false,
        ...describeMissing(lookups.failingSince(server.host), now),
      })),
    ]
  }

  return {
    async start() {
      await lookups.start()
      // the caller reads the servers after the start
      cancelNotify?.()
      cancelNotify = undefined
      if (!isStopped) for (const one of checks.values()) one.start()
    },
    serversOf: upstream =>
      inUse(upstream, entriesAt(upstream)).map(({ server: { weight, isBackup }, endpoint }) => ({
        address: endpoint,
        weight,
        isBackup,
      })),
    status: () => Object.entries(configs).flatMap(([name, config]) => statusOf(name, config)),
    warnings: () =>
      namesIn(configs).flatMap(name => {
        const since = lookups.failingSince(name)
        return since === undefined ? [] : describeUnresolved(name, clock.monotonic() - since, lookups.addressesOf(name))
      }),
    snapshot: () => ({
      addresses: lookups.snapshot(),
      health: new Map([...checks].map(([name, one]) => [name, one.snapshot()])),
    }),
    stop() {
      isStopped = true
      cancelNotify?.()
      lookups.stop()
      for (const one of checks.values()) one.stop()
    },
  }
}

/** Distinct names of all configured servers. */
function namesIn(configs: Readonly<Record<string, UpstreamConfig>>): string[] {
  const hosts = Object.values(configs).flatMap(({ servers }) => servers.map(({ host }) => host))
  return [...new Set(hosts.filter(isName))]
}
