import { formatAddress } from '../base/address.ts'
import type { Runtime } from '../base/runtime.ts'
import type { UpstreamProbe } from './checks.ts'
import { createUpstreamChecks, type UpstreamChecks } from './checks.ts'
import { entriesOf, type UpstreamEntry } from './entry.ts'
import { type ServerHealth, serversInUse, unchecked } from './health.ts'
import type { ExternalServer, UpstreamConfig } from './keys.ts'
import type { Resolver } from './name-lookups.ts'
import { createNameLookups } from './name-lookups.ts'
import { isName } from './names.ts'
import { describeHealth, describeMissing, type UpstreamServerStatus } from './status.ts'
import type { ExternalUpstream } from './upstream.ts'

/** Changes within this time are told together: each is a reload of nginx. */
const batchMs = 200

/** The servers of upstreams: what their names lead to now, and which of them are up. */
export interface Upstreams {
  /** Begins to look up and to check; settles when the names are known, or a start should not wait longer for them. */
  start(): Promise<void>
  serversOf(upstream: string): ExternalUpstream['servers']
  status(): UpstreamServerStatus[]
  /** What was found out so far, for a successor. */
  snapshot(): Snapshot
  stop(): void
}

export interface UpstreamsDeps extends Pick<Runtime, 'clock' | 'log'> {
  resolver: Resolver
  probe: UpstreamProbe
  /** The servers of some upstream are others now. */
  onChange(): void
}

interface Snapshot {
  /** By name. */
  addresses: ReadonlyMap<string, readonly string[]>
  /** By upstream and endpoint. */
  health: ReadonlyMap<string, ReadonlyMap<string, ServerHealth>>
}

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
  // without checks, nothing would bring one back that is down
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
    const textOf = ({ host, port }: ExternalServer) => formatAddress(host, port)
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
      // what was found by now is told by whoever started it
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

/** Every name that a server is configured with, once. */
function namesIn(configs: Readonly<Record<string, UpstreamConfig>>): string[] {
  const hosts = Object.values(configs).flatMap(({ servers }) => servers.map(({ host }) => host))
  return [...new Set(hosts.filter(isName))]
}
