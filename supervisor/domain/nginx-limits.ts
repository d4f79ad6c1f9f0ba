/** How much one address may ask for, and how large it may be. */
export interface Limits {
  /** As nginx writes sizes; undefined: any. */
  bodySize: string | undefined
  rate: RateLimit | undefined
  /** Open requests at the same time. */
  connections: number | undefined
}

interface RateLimit {
  count: number
  per: 's' | 'm'
  /** Beyond the rate, at once. */
  burst: number
}

/** 16,000 addresses a megabyte; the ones not seen for longest make room. */
const zoneSize = '10m'
const zone = 'monohull_address'
/** Empty for requests that are not counted. */
const address = '$monohull_limited'

/** For the http block; requests to the `open` paths are not counted. */
export function renderLimits(limits: Limits, open: readonly string[]): string[] {
  const { bodySize, rate, connections } = limits
  return [
    '# max_body_size',
    `client_max_body_size ${bodySize ?? 0};`,
    ...(rate || connections ? ['', '# rate_limit, connection_limit', ...renderCounted(limits, open)] : []),
    ...(rate
      ? [
          `limit_req_zone ${address} zone=${zone}_rate:${zoneSize} rate=${rate.count}r/${rate.per};`,
          'limit_req_status 429;',
          // the access log tells it
          'limit_req_log_level info;',
        ]
      : []),
    ...(connections
      ? [
          `limit_conn_zone ${address} zone=${zone}_connections:${zoneSize};`,
          'limit_conn_status 429;',
          'limit_conn_log_level info;',
        ]
      : []),
  ]
}

function renderCounted(limits: Limits, open: readonly string[]): string[] {
  return [
    `map $uri ${address} {`,
    '    default $binary_remote_addr;',
    ...open.map(path => `    ${path} '';`),
    '}',
    `map $status $monohull_retry_after { default ''; 429 ${retryAfterSeconds(limits)}; }`,
  ]
}

/** For the server block, or a place in it. */
export function renderLimitsOf({ rate, connections }: Limits): string[] {
  return [
    ...(rate
      ? ['# rate_limit', `limit_req zone=${zone}_rate${rate.burst > 0 ? ` burst=${rate.burst} nodelay` : ''};`]
      : []),
    ...(connections ? ['# connection_limit', `limit_conn ${zone}_connections ${connections};`] : []),
  ]
}

/** Seconds after which a client that got 429 may come again. */
function retryAfterSeconds({ rate }: Limits): number {
  return rate?.per === 'm' ? Math.max(1, Math.ceil(60 / rate.count)) : 1
}
