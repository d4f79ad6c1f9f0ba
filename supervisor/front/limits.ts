import { requestZone } from '../nginx/connections.ts'

/** Limits of requests. Rate and connections are counted per address. */
export interface Limits {
  /** Maximum body size in nginx's notation; undefined: unlimited. */
  bodySize: string | undefined
  /** Maximum size of a body that fits into the memory for temporary files; undefined: they are on a disk. */
  spooledSize?: string | undefined
  rate: RateLimit | undefined
  /** Maximum number of concurrent requests. */
  connections: number | undefined
  /** Maximum number of concurrent requests of all clients to one nginx worker. */
  requests: number
}

/** Limits of one route. An undefined limit is that of the whole front. */
export interface RouteLimits {
  bodySize?: string | undefined
  rate?: RateLimit | 'off' | undefined
  connections?: number | 'off' | undefined
}

/** Rate of requests. */
export interface RateLimit {
  count: number
  per: 's' | 'm'
  /** Number of requests that may exceed the rate at once. */
  burst: number
}

/** Holds 16,000 addresses per megabyte; the least recently seen are removed first. */
const zoneSize = '10m'
/** Empty for requests that are not counted. nginx does not accept another key for an existing zone on a reload. */
const rateKey = '$monohull_rate_key'
const connectionKey = '$monohull_connection_key'
/** Client that is counted: an IPv4 address, or the /64 network of an IPv6 subscriber. */
const client = '$monohull_client'

/** Lines for the http block. The index of a route is its number. Requests to the `open` paths are not counted. */
export function renderLimits(limits: Limits, routes: readonly RouteLimits[], open: readonly string[]): string[] {
  const rates = zonesOf(limits.rate, routes, ({ rate }) => rate)
  const connections = zonesOf(limits.connections, routes, one => one.connections)
  return [
    '# max_body_size',
    `client_max_body_size ${limits.bodySize ?? 0};`,
    ...renderWorkerZone(limits),
    ...(rates.length + connections.length > 0 ? [...renderRetryAfter(limits.rate), ...renderClient()] : []),
    ...(rates.length > 0
      ? [
          '',
          '# rate_limit',
          ...renderKey(rateKey, open),
          ...rates.map(
            ([route, { count, per }]) =>
              `limit_req_zone ${rateKey} zone=${rateZone(route)}:${zoneSize} rate=${count}r/${per};`,
          ),
          'limit_req_status 429;',
          // the access log shows it
          'limit_req_log_level info;',
        ]
      : []),
    ...(connections.length > 0
      ? [
          '',
          '# connection_limit',
          ...renderKey(connectionKey, open),
          ...connections.map(
            ([route]) => `limit_conn_zone ${connectionKey} zone=${connectionZone(route)}:${zoneSize};`,
          ),
        ]
      : []),
  ]
}

/** Lines for the server block. */
export function renderLimitsOf(limits: Limits, routes: readonly RouteLimits[]): string[] {
  const { rate, connections } = limits
  return [
    ...(isCounted([limits, ...routes])
      ? [
          '# rate_limit, connection_limit',
          // evaluated here, because in a location its pattern would overwrite the location's $1
          `set $monohull_counted ${client};`,
        ]
      : []),
    ...(rate ? ['# rate_limit', renderRate(rate)] : []),
    ...(connections ? ['# connection_limit', ...renderConnections(connections, limits)] : []),
  ]
}

/** Lines for the locations of the route with this number. `off` sets an empty key for the server's limit. */
export function renderRouteLimits(
  { bodySize, rate, connections }: RouteLimits,
  { limits, route }: { limits: Limits; route: number },
): string[] {
  return [
    ...(bodySize ? ['# max_body_size', `client_max_body_size ${bodySize};`] : []),
    ...(rate ? ['# rate_limit'] : []),
    ...(rate === 'off' ? [`set ${rateKey} '';`] : []),
    ...(rate && rate !== 'off'
      ? [renderRate(rate, route), `set $monohull_retry_seconds ${retryAfterSeconds(rate)};`]
      : []),
    ...(connections ? ['# connection_limit'] : []),
    ...(connections === 'off' ? [`set ${connectionKey} '';`, 'limit_conn_status 503;'] : []),
    ...(connections && connections !== 'off' ? renderConnections(connections, limits, route) : []),
  ]
}

/** Whether any limit, of the whole front or of a route, can lead to status 429. */
export function isCounted(limits: readonly RouteLimits[]): boolean {
  return limits.flatMap(({ rate, connections }) => [rate, connections]).some(limit => (limit ?? 'off') !== 'off')
}

/** Limits that need a zone: that of the whole front, and those of routes with their numbers. */
function zonesOf<T>(
  front: T | undefined,
  routes: readonly RouteLimits[],
  limitOf: (route: RouteLimits) => T | 'off' | undefined,
): [number | undefined, T][] {
  const own = routes.flatMap((route, number): [number, T][] => {
    const limit = limitOf(route)
    return limit === undefined || limit === 'off' ? [] : [[number, limit as T]]
  })
  return [...(front === undefined ? [] : [[undefined, front] as [undefined, T]]), ...own]
}

function renderKey(key: string, open: readonly string[]): string[] {
  return [`map $uri ${key} {`, `    default ${client};`, ...open.map(path => `    ${path} '';`), '}']
}

function renderClient(): string[] {
  return [
    `map $binary_remote_addr ${client} {`,
    '    default $binary_remote_addr;',
    // ::1, and IPv4-mapped addresses that a proxy may send
    '    "~(?s)^\\x00{10}" $binary_remote_addr;',
    '    "~(?s)^(.{8}).{8}$" $1;',
    '}',
  ]
}

function renderRetryAfter(rate: RateLimit | undefined): string[] {
  return [
    '',
    '# rate_limit, connection_limit',
    `map '' $monohull_retry_seconds { default ${rate ? retryAfterSeconds(rate) : 1}; }`,
    `map $status $monohull_retry_after { default ''; 429 $monohull_retry_seconds; }`,
  ]
}

function renderRate({ burst }: RateLimit, route?: number): string {
  return `limit_req zone=${rateZone(route)}${burst > 0 ? ` burst=${burst} nodelay` : ''};`
}

/** A level with a limit does not inherit others. All limits of a level have one status. */
function renderConnections(count: number, limits: Limits, route?: number): string[] {
  return [`limit_conn ${connectionZone(route)} ${count};`, renderWorkerLimit(limits), 'limit_conn_status 429;']
}

/**
 * Limit of all requests of one nginx worker, so that it has connections left for health and for new clients. It is counted by pid: requests
 * of a killed worker would otherwise count forever.
 */
function renderWorkerZone(limits: Limits): string[] {
  return [
    '',
    '# nginx.worker_connections',
    `limit_conn_zone $pid zone=${requestZone}:1m;`,
    renderWorkerLimit(limits),
    'limit_conn_status 503;',
    // clients could fill the log
    'limit_conn_log_level info;',
  ]
}

function renderWorkerLimit({ requests }: Limits): string {
  return `limit_conn ${requestZone} ${requests};`
}

function rateZone(route?: number): string {
  return `monohull_rates${route === undefined ? '' : `_${route}`}`
}

function connectionZone(route?: number): string {
  return `monohull_connections${route === undefined ? '' : `_${route}`}`
}

/** Seconds after which a client that got 429 may retry. */
function retryAfterSeconds({ per, count }: RateLimit): number {
  return per === 'm' ? Math.max(1, Math.ceil(60 / count)) : 1
}
