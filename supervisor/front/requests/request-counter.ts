import { block, callLua, callLuaToGet, callLuaToSet } from '../../nginx/text.ts'

/** Counting of requests in nginx. */
export interface RequestCounter {
  /** Whether counts are kept apart by host. */
  hasHosts: boolean
  /** Whether Lua makes the ids of proxied requests, at a fraction of the cost; false if a file of the user has nginx's `$request_id`. */
  makesIds: boolean
}

/** Path on nginx's status socket at which it reports the counts. */
export const reportPath = '/requests'
/** Path at which it forgets those of routes. */
export const forgetPath = '/forget'

/** Variable with the id of the route; `-`: the request is not counted. */
const variable = '$monohull_route'

/** Shared memory at least, for some 60,000 numbers, and routes for each megabyte, with several numbers for each of their statuses. */
const leastMegabytes = 8
const routesPerMegabyte = 200

/** Lines for the http block. If the memory is full, the numbers that were used least recently are dropped. */
export function renderRequestCounter(routes: number): string[] {
  return [
    '',
    '# metrics',
    `lua_shared_dict monohull_counts ${megabytesFor(routes)}m;`,
    `map '' ${variable} { default ''; }`,
  ]
}

/** Rarely another size: with another size, a reload counts from zero. nginx uses only what the present numbers need. */
function megabytesFor(routes: number): number {
  return leastMegabytes * 2 ** Math.ceil(Math.log2(Math.max(1, routes / routesPerMegabyte / leastMegabytes)))
}

/** Locations of nginx's status server. */
export function renderRequestReport(): string[] {
  return [
    ...block(`= ${reportPath}`, [callLua('content', 'request_report.report')]),
    ...block(`= ${forgetPath}`, [callLua('content', 'request_report.forget')]),
  ]
}

/** Line for a server: its requests are counted when they have ended. A location with a log phase of its own calls the same function. */
export function renderCounting(counter: RequestCounter | undefined): string[] {
  return counter ? ['# metrics', callLua('log', 'requests.finish')] : []
}

/** Line for a location: the route that its requests belong to. A proxied request is open from then on. */
export function renderCounted(
  id: string,
  { isProxied, makesIds }: Pick<RequestCounter, 'makesIds'> & { isProxied: boolean },
): string {
  if (!isProxied) return `set ${variable} ${id};`
  return makesIds
    ? callLuaToGet('$monohull_own_id', 'requests.begin_with_id', id)
    : callLuaToSet(variable, 'requests.begin', id)
}

/** Line for a location whose requests are not counted. */
export function renderUncounted(counter: RequestCounter | undefined): string[] {
  return counter ? [`set ${variable} -;`] : []
}
