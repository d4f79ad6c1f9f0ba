import { balanceLines } from '../nginx/balance.ts'
import type { ExternalUpstream } from './upstream.ts'

/** nginx's own default for connections to servers it knows nothing of. */
const idle = '60s'
/** Shared snapshot: what nginx needs for itself, and for a server. */
const zoneKilobytes = 64
const zoneKilobytesPerServer = 4

/** The servers of an upstream elsewhere. */
export function renderExternal(upstream: ExternalUpstream): string[] {
  const { servers, balance, keepalive, maxFails, failTimeoutSeconds } = upstream
  if (servers.length === 0) return []
  const group = externalName(upstream)
  // nginx takes no group of nothing but backups
  const hasOthers = servers.some(({ isBackup }) => !isBackup)
  return [
    '',
    `# upstreams.${upstream.name}`,
    `upstream ${group} {`,
    `    zone ${group} ${zoneKilobytes + zoneKilobytesPerServer * servers.length}k;`,
    ...balanceLines(balance).map(line => `    ${line}`),
    ...servers.map(({ address, weight, isBackup }) => {
      const words = [
        address,
        ...(weight === 1 ? [] : [`weight=${weight}`]),
        ...(isBackup && hasOthers ? ['backup'] : []),
        ...(maxFails === 1 && failTimeoutSeconds === 10
          ? []
          : [`max_fails=${maxFails}`, `fail_timeout=${failTimeoutSeconds}s`]),
      ]
      return `    server ${words.join(' ')};`
    }),
    ...(keepalive > 0 ? [`    keepalive ${keepalive};`, `    keepalive_timeout ${idle};`] : []),
    '}',
  ]
}

/** The name of its group of servers. */
export function externalName({ name }: Pick<ExternalUpstream, 'name'>): string {
  return `upstream_${name}`
}
