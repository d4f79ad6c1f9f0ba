import { block, callLua, callLuaToSet } from '../../nginx/text.ts'

/** Counting of requests in nginx. */
export interface RequestCounter {
  /** Whether counts are kept apart by host. */
  hasHosts: boolean
}

/** Path on nginx's status socket at which it reports the counts. */
export const reportPath = '/requests'
/** Path at which it forgets those of routes. */
export const forgetPath = '/forget'

/** Variable with the id of the route; `-`: the request is not counted. */
const variable = '$monohull_route'

/** Lines for the http block. The memory has room for some 60,000 numbers; the least recently used are dropped. */
export function renderRequestCounter(): string[] {
  return ['', '# metrics', 'lua_shared_dict monohull_counts 8m;', `map '' ${variable} { default ''; }`]
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
export function renderCounted(id: string, { isProxied }: { isProxied: boolean }): string {
  return isProxied ? callLuaToSet(variable, 'requests.begin', id) : `set ${variable} ${id};`
}

/** Line for a location whose requests are not counted. */
export function renderUncounted(counter: RequestCounter | undefined): string[] {
  return counter ? [`set ${variable} -;`] : []
}
