import { balanceLines } from '../nginx/balance.ts'
import { keepsConnections } from '../nginx/protocol.ts'
import { isOfUrl, type Upstream } from './upstream.ts'

/** nginx's default for `keepalive_timeout`: nothing is known about the timeouts of the servers. */
const idle = '60s'
/** Shared memory of an upstream: a base for nginx itself, and an amount per server. */
const zoneKilobytes = 64
const zoneKilobytesPerServer = 4

/** The `upstream` block of a configured upstream; empty without servers. */
export function renderUpstream(upstream: Upstream): string[] {
  const { servers, balance, keepalive, protocol = 'http', maxFails, failTimeoutSeconds } = upstream
  if (servers.length === 0) return []
  const group = upstreamName(upstream)
  // nginx rejects a group with only backups
  const hasOthers = servers.some(({ isBackup }) => !isBackup)
  return [
    '',
    isOfUrl(upstream) ? `# routes: ${upstream.name}` : `# upstreams.${upstream.name}`,
    `upstream ${group} {`,
    `    zone ${group} ${zoneKilobytes + zoneKilobytesPerServer * servers.length}k;`,
    ...balanceLines(balance).map(line => `    ${line}`),
    ...servers.map(({ address, weight, isBackup }) => {
      const parameters = [
        address,
        ...(weight === 1 ? [] : [`weight=${weight}`]),
        ...(isBackup && hasOthers ? ['backup'] : []),
        ...(maxFails === 1 && failTimeoutSeconds === 10
          ? []
          : [`max_fails=${maxFails}`, `fail_timeout=${failTimeoutSeconds}s`]),
      ]
      return `    server ${parameters.join(' ')};`
    }),
    ...(keepalive > 0 && keepsConnections(protocol)
      ? [`    keepalive ${keepalive};`, `    keepalive_timeout ${idle};`]
      : []),
    '}',
  ]
}

/** Name of the `upstream` block. One with the name of a URL gets underscores, which no other name has. */
export function upstreamName({ name }: Pick<Upstream, 'name'>): string {
  return `upstream_${name.replaceAll(/[^a-z0-9.-]/g, '_')}`
}
