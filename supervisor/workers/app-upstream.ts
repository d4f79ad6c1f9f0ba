import { type Balance, balanceLines, balances, hasBackups } from '../nginx/balance.ts'
import { keepsConnections, type Protocol } from '../nginx/protocol.ts'
import type { WorkerAddress } from './address.ts'

/** Load balancing method of an app, `sticky` by a cookie. */
export type AppBalance = Balance | 'sticky'

/** All methods, the default first. */
export const appBalances: [AppBalance, ...AppBalance[]] = [...balances, 'sticky']

/** Entry in an app's upstream. */
export interface WorkerEntry {
  slot: number
  address: WorkerAddress
}

/** The workers of one app in nginx's model. */
export interface AppUpstream {
  /** The app's name. */
  name: string
  servers: readonly WorkerEntry[]
  /** Idle connections that each nginx process keeps to the workers. */
  keepalive: number
  balance: AppBalance
  /** Undefined: HTTP. */
  protocol?: Protocol
  /** Whether nginx passes facts about the TLS connection to the app. */
  tellsTls?: boolean
}

/** Idle timeout of connections to workers. nginx must close them before the worker does. */
const idleTime = '4s'
/**
 * Most time for which nginx uses a connection. One through an entry that now leads to another worker still leads to the former one, which would
 * keep all requests of the entry.
 */
const keptTime = '5s'
/** Shared memory of an upstream: a base for nginx itself, and an amount per server, which is listed twice. */
const zoneKilobytes = 64
const zoneKilobytesPerServer = 8
/** Tries of a request: `proxy_next_upstream_tries` in snippets/timeouts.conf. */
const tries = 3

/** Lines for the http block: the upstream of an app, and with `sticky` the maps for the cookie. Empty without workers. */
export function renderAppUpstream(upstream: AppUpstream): string[] {
  const { name, servers, balance } = upstream
  if (servers.length === 0) return []
  const keepalive = idleConnections(upstream)
  const upgrades = hasUpgrades(upstream)
  return [
    ...renderGroup(upstream, appUpstreamName(name), keepalive),
    ...(upgrades ? renderGroup(upstream, upgradeName(appUpstreamName(name)), 0) : []),
    ...(balance === 'sticky' ? renderSticky(upstream) : upgrades ? renderPeer(upstream) : []),
  ]
}

/** Idle connections that each nginx process keeps. */
function idleConnections({ keepalive, protocol = 'http' }: AppUpstream): number {
  return keepsConnections(protocol) ? keepalive : 0
}

/** Whether WebSockets must not get an idle connection. */
function hasUpgrades({ keepalive, protocol = 'http' }: AppUpstream): boolean {
  return protocol === 'http' && keepalive > 0
}

/** Group of all workers of an app. */
function renderGroup({ name, servers, balance }: AppUpstream, group: string, keepalive: number): string[] {
  const addresses = servers.map(({ address }) => renderAddress(address))
  return [
    '',
    `# ${appKey(name)}: workers, balance, keepalive`,
    `upstream ${group} {`,
    `    zone ${group} ${zoneKilobytes + zoneKilobytesPerServer * addresses.length}k;`,
    ...linesOf(balance).map(line => `    ${line}`),
    ...addresses.map(address => `    server ${address} max_fails=0;`),
    // each server again, as the last choice: a request that every worker dropped waits in the queue of a restarting one
    ...secondTries(addresses).map(
      address => `    server ${address} max_fails=0${balance === 'sticky' || hasBackups(balance) ? ' backup' : ''};`,
    ),
    ...renderKeepalive(keepalive),
    '}',
  ]
}

/** Map to the group for a request: a WebSocket gets a new connection, because an idle one may lead to a worker that drains. */
function renderPeer({ name }: AppUpstream): string[] {
  const group = appUpstreamName(name)
  return [
    '',
    `# ${appKey(name)}: keepalive`,
    `map $monohull_upgrade $monohull_upstream_${variableName(name)} {`,
    `    default ${group};`,
    `    websocket ${upgradeName(group)};`,
    '}',
  ]
}

/** Key of an app in the configuration. */
export function appKey(name: string): string {
  return name === 'app' ? name : `apps.${name}`
}

/** Server group of an app, as `proxy_pass` and the like name it after the scheme. */
export function appGroup(upstream: AppUpstream): string {
  const { name, balance } = upstream
  return balance === 'sticky' || hasUpgrades(upstream)
    ? `$monohull_upstream_${variableName(name)}`
    : appUpstreamName(name)
}

/**
 * Lines for the server block, or for a location with its own `add_header`: the cookie with the slot of the worker that
 * responded, unless the request already had it. Empty without `sticky`.
 */
export function renderCookie({ name, servers, balance }: AppUpstream): string[] {
  if (balance !== 'sticky' || servers.length === 0) return []
  return [`# ${appKey(name)}: balance`, `add_header Set-Cookie $monohull_cookie_${variableName(name)} always;`]
}

function linesOf(balance: AppBalance): readonly string[] {
  // for clients without a cookie
  if (balance === 'sticky') return balanceLines('least_conn')
  // nginx's own ip_hash never retries the same server, and moves most clients when the number of workers changes
  return balance === 'ip_hash' ? ['hash $remote_addr consistent;'] : balanceLines(balance)
}

/** Servers to list again. A stale connection to a dead worker uses up an entry, so a single worker is listed several times. */
function secondTries(addresses: readonly string[]): string[] {
  const [only = ''] = addresses
  return addresses.length === 1 ? Array.from({ length: tries }, () => only) : [...addresses]
}

/**
 * One upstream per slot, selected by the cookie. Clients choose the cookie's value, so it is mapped to existing slots, and any
 * other value goes to the balanced upstream.
 */
function renderSticky(upstream: AppUpstream): string[] {
  const { name, servers } = upstream
  const keepalive = idleConnections(upstream)
  const variable = variableName(name)
  const share = Math.ceil(keepalive / servers.length)
  const groups = keepalive > 0 ? [share, 0] : [0]
  return [
    ...groups.flatMap(kept =>
      servers.flatMap((server, index) => [
        '',
        `# ${appKey(name)}: balance`,
        `upstream ${kept === groups[0] ? slotName(name, server) : upgradeName(slotName(name, server))} {`,
        ...triesFrom(servers, index).map(
          ({ address }, attempt) =>
            `    server ${renderAddress(address)} max_fails=0${attempt === 0 ? '' : ' backup'};`,
        ),
        ...renderKeepalive(kept),
        '}',
      ]),
    ),
    '',
    `# ${appKey(name)}: balance`,
    // a WebSocket gets a new connection
    `map "$monohull_upgrade $cookie_${cookieName(name)}" $monohull_upstream_${variable} {`,
    `    default ${appUpstreamName(name)};`,
    ...servers.map(server => `    " ${server.slot}" ${slotName(name, server)};`),
    ...(keepalive > 0
      ? [
          ...servers.map(server => `    "websocket ${server.slot}" ${upgradeName(slotName(name, server))};`),
          `    "~^websocket " ${upgradeName(appUpstreamName(name))};`,
        ]
      : servers.map(server => `    "websocket ${server.slot}" ${slotName(name, server)};`)),
    '}',
    // the last of several tried servers is the one that responded
    `map $upstream_addr $monohull_answered_${variable} {`,
    '    default $upstream_addr;',
    `    "~ (?<monohull_last_${variable}>[^ ]+)$" $monohull_last_${variable};`,
    '}',
    `map $monohull_answered_${variable} $monohull_slot_${variable} {`,
    ...servers.map(({ slot, address }) => `    ${renderAddress(address)} ${slot};`),
    '}',
    `map "$cookie_${cookieName(name)} $monohull_slot_${variable}" $monohull_cookie_${variable} {`,
    `    default "${cookieName(name)}=$monohull_slot_${variable}; Path=/; HttpOnly; SameSite=Lax$monohull_secure";`,
    '    "~ $" "";',
    '    "~^([0-9]+) \\1$" "";',
    '}',
  ]
}

/** A slot's server and those after it. With few slots it is repeated, so that a request waits in its queue for the next worker. */
function triesFrom(servers: readonly WorkerEntry[], first: number): WorkerEntry[] {
  return Array.from({ length: tries + 1 }, (_, index) => servers[(first + index) % servers.length]).filter(
    server => server !== undefined,
  )
}

function renderKeepalive(count: number): string[] {
  if (count === 0) return []
  return [`    keepalive ${count};`, `    keepalive_timeout ${idleTime};`, `    keepalive_time ${keptTime};`]
}

function appUpstreamName(app: string): string {
  return `app_${app}`
}

/** Name of the group without idle connections. */
function upgradeName(group: string): string {
  return `${group}_upgrade`
}

function slotName(app: string, { slot }: WorkerEntry): string {
  return `${appUpstreamName(app)}_slot_${slot}`
}

function cookieName(app: string): string {
  return `monohull_${variableName(app)}`
}

/** App name for nginx variables, which cannot contain a dash. */
function variableName(app: string): string {
  return app.replaceAll('-', '_')
}

/** Address of a worker as a variable of `proxy_pass` and the like. With HTTP, a path may follow it. */
export function targetOf(address: WorkerAddress, protocol: Protocol = 'http'): string {
  return address.kind === 'unix' && protocol === 'http' ? `${renderAddress(address)}:` : renderAddress(address)
}

/** Address of a worker in nginx's syntax, also that of `$upstream_addr`. */
export function renderAddress(address: WorkerAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `127.0.0.1:${address.port}`
}
