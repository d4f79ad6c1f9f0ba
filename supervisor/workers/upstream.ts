import { type Balance, balanceLines, balances, hasBackups } from '../nginx/balance.ts'
import type { WorkerAddress } from './address.ts'

/** How nginx chooses a worker for a request: `sticky` by a cookie. */
export type AppBalance = Balance | 'sticky'

/** Every way, the default one first. */
export const appBalances: [AppBalance, ...AppBalance[]] = [...balances, 'sticky']

/** A worker's place in nginx's list. */
export interface UpstreamServer {
  slot: number
  address: WorkerAddress
}

/** The workers of one app, as nginx sees them. */
export interface Upstream {
  /** The app's name. */
  name: string
  servers: readonly UpstreamServer[]
  /** Idle connections to the workers that each nginx process keeps. */
  keepalive: number
  balance: AppBalance
  /** Whether the app is told of the TLS connection. */
  tellsTls?: boolean
}

/** nginx must close idle connections to a worker before the worker does. */
const idleTime = '4s'
/** Shared memory of an upstream: what nginx needs for itself, and for a server and its double. */
const zoneKilobytes = 64
const zoneKilobytesPerServer = 8
/** Places that a request is tried at: `proxy_next_upstream_tries` in snippets/timeouts.conf. */
const tries = 3

/** For the http block: the upstream of an app that has workers, and with `sticky` what reads and makes the cookie. */
export function renderUpstream(upstream: Upstream): string[] {
  const { name, servers, balance } = upstream
  if (servers.length === 0) return []
  const addresses = servers.map(({ address }) => renderAddress(address))
  return [
    '',
    `# ${appKey(name)}: workers, balance, keepalive`,
    `upstream ${upstreamName(name)} {`,
    `    zone ${upstreamName(name)} ${zoneKilobytes + zoneKilobytesPerServer * addresses.length}k;`,
    ...linesOf(balance).map(line => `    ${line}`),
    ...addresses.map(address => `    server ${address} max_fails=0;`),
    // once more, last: a request that every worker dropped waits in a queue for the worker to come back
    ...secondTries(addresses).map(
      address => `    server ${address} max_fails=0${balance === 'sticky' || hasBackups(balance) ? ' backup' : ''};`,
    ),
    ...renderKeepalive(upstream.keepalive),
    '}',
    ...(balance === 'sticky' ? renderSticky(upstream) : []),
  ]
}

/** Where the configuration has an app. */
export function appKey(name: string): string {
  return name === 'app' ? name : `apps.${name}`
}

/** For `proxy_pass`: where requests to the app go. */
export function proxyTarget({ name, balance }: Upstream): string {
  return balance === 'sticky' ? `http://$monohull_upstream_${variableName(name)}` : `http://${upstreamName(name)}`
}

/**
 * For the server block, or for a location that has an `add_header` of its own: the cookie that names the slot of the
 * worker who answered, when the request did not bring it already.
 */
export function renderCookie({ name, servers, balance }: Upstream): string[] {
  if (balance !== 'sticky' || servers.length === 0) return []
  return [`# ${appKey(name)}: balance`, `add_header Set-Cookie $monohull_cookie_${variableName(name)} always;`]
}

function linesOf(balance: AppBalance): readonly string[] {
  // for whoever brings no cookie yet
  if (balance === 'sticky') return balanceLines('least_conn')
  // ip_hash itself knows no second try at the same server, and moves most clients when a worker comes or goes
  return balance === 'ip_hash' ? ['hash $remote_addr consistent;'] : balanceLines(balance)
}

/** A kept connection to a dead worker uses up a place, and no try: one worker alone is named more often. */
function secondTries(addresses: readonly string[]): string[] {
  const [only = ''] = addresses
  return addresses.length === 1 ? Array.from({ length: tries }, () => only) : [...addresses]
}

/**
 * An upstream per slot, chosen by the cookie. The cookie is anybody's: it is looked up among the slots that there are, and
 * whatever is not one of them goes to the balanced upstream.
 */
function renderSticky({ name, servers, keepalive }: Upstream): string[] {
  const variable = variableName(name)
  const share = Math.ceil(keepalive / servers.length)
  return [
    ...servers.flatMap((server, index) => [
      '',
      `# ${appKey(name)}: balance`,
      `upstream ${slotName(name, server)} {`,
      ...triesFrom(servers, index).map(
        ({ address }, attempt) => `    server ${renderAddress(address)} max_fails=0${attempt === 0 ? '' : ' backup'};`,
      ),
      ...renderKeepalive(share),
      '}',
    ]),
    '',
    `# ${appKey(name)}: balance`,
    `map $cookie_${cookieName(name)} $monohull_upstream_${variable} {`,
    `    default ${upstreamName(name)};`,
    ...servers.map(server => `    ${server.slot} ${slotName(name, server)};`),
    '}',
    // of a request that was tried at several, the last one answered
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

/** A slot and those after it; where there are few, the slot itself once more: a request waits there for the next worker. */
function triesFrom(servers: readonly UpstreamServer[], first: number): UpstreamServer[] {
  return Array.from({ length: tries + 1 }, (_, index) => servers[(first + index) % servers.length]).filter(
    server => server !== undefined,
  )
}

function renderKeepalive(count: number): string[] {
  return count > 0 ? [`    keepalive ${count};`, `    keepalive_timeout ${idleTime};`] : []
}

function upstreamName(app: string): string {
  return `app_${app}`
}

function slotName(app: string, { slot }: UpstreamServer): string {
  return `${upstreamName(app)}_slot_${slot}`
}

function cookieName(app: string): string {
  return `monohull_${variableName(app)}`
}

/** nginx's variables know no dash. */
function variableName(app: string): string {
  return app.replaceAll('-', '_')
}

/** A worker's address as nginx reads it, and as it names it in `$upstream_addr`. */
export function renderAddress(address: WorkerAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `127.0.0.1:${address.port}`
}
