/** How much one address may ask for, and how large it may be. */
export interface Limits {
  /** As nginx writes sizes; undefined: any. */
  bodySize: string | undefined
  rate: RateLimit | undefined
  /** Open requests at the same time. */
  connections: number | undefined
}

/** Limits of one route; what is undefined is as in the whole front. */
export interface RouteLimits {
  bodySize?: string | undefined
  rate?: RateLimit | 'off' | undefined
  connections?: number | 'off' | undefined
}

/** Requests in a time. */
export interface RateLimit {
  count: number
  per: 's' | 'm'
  /** Beyond the rate, at once. */
  burst: number
}

/** 16,000 addresses a megabyte; the ones not seen for longest make room. */
const zoneSize = '10m'
/** Empty for requests that are not counted. nginx takes no other key for a zone in a reload. */
const rateKey = '$monohull_rate_key'
const connectionKey = '$monohull_connection_key'
/** Who counts as one: an IPv4 address, or the 64 bits of IPv6 that a subscriber has all the addresses of. */
const client = '$monohull_client'

/** For the http block; the limits of routes by their numbers. Requests to the `open` paths are not counted. */
export function renderLimits(limits: Limits, routes: readonly RouteLimits[], open: readonly string[]): string[] {
  const rates = zonesOf(limits.rate, routes, ({ rate }) => rate)
  const connections = zonesOf(limits.connections, routes, one => one.connections)
  return [
    '# max_body_size',
    `client_max_body_size ${limits.bodySize ?? 0};`,
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
          // the access log tells it
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
          'limit_conn_status 429;',
          'limit_conn_log_level info;',
        ]
      : []),
  ]
}

/** For the server block. */
export function renderLimitsOf({ rate, connections }: Limits, routes: readonly RouteLimits[]): string[] {
  return [
    ...(isCounted([{ rate, connections }, ...routes])
      ? [
          '# rate_limit, connection_limit',
          // looked up before there is a location, or its pattern would take the place of what a location has in $1
          `set $monohull_counted ${client};`,
        ]
      : []),
    ...(rate ? ['# rate_limit', renderRate(rate)] : []),
    ...(connections ? ['# connection_limit', renderConnections(connections)] : []),
  ]
}

/** For the locations of the route with this number; `off` is an empty key for the limit of the server. */
export function renderRouteLimits({ bodySize, rate, connections }: RouteLimits, route: number): string[] {
  return [
    ...(bodySize ? ['# max_body_size', `client_max_body_size ${bodySize};`] : []),
    ...(rate ? ['# rate_limit'] : []),
    ...(rate === 'off' ? [`set ${rateKey} '';`] : []),
    ...(rate && rate !== 'off'
      ? [renderRate(rate, route), `set $monohull_retry_seconds ${retryAfterSeconds(rate)};`]
      : []),
    ...(connections ? ['# connection_limit'] : []),
    ...(connections === 'off' ? [`set ${connectionKey} '';`] : []),
    ...(connections && connections !== 'off' ? [renderConnections(connections, route)] : []),
  ]
}

/** Whether somebody might be told to come again later, by limits of the whole front or of routes. */
export function isCounted(limits: readonly RouteLimits[]): boolean {
  return limits.flatMap(({ rate, connections }) => [rate, connections]).some(limit => (limit ?? 'off') !== 'off')
}

/** The limits to count for: of the whole front, and of routes by their number. */
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
    // ::1, and IPv4 as a proxy may write it
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

function renderConnections(count: number, route?: number): string {
  return `limit_conn ${connectionZone(route)} ${count};`
}

function rateZone(route?: number): string {
  return `monohull_rates${route === undefined ? '' : `_${route}`}`
}

function connectionZone(route?: number): string {
  return `monohull_connections${route === undefined ? '' : `_${route}`}`
}

/** Seconds after which a client that got 429 may come again. */
function retryAfterSeconds({ per, count }: RateLimit): number {
  return per === 'm' ? Math.max(1, Math.ceil(60 / count)) : 1
}
