import { gauge, type Metric } from '../base/metrics.ts'
import type { DynamicRoute } from './route.ts'

/** Store of dynamic routes. Other programs may write to it, so it validates every route that it returns. */
export interface RouteStore {
  /** First of some names (a host, then the wildcards that match it) that has a route; undefined if none has. Rejects while the store cannot be read. */
  find(names: readonly string[]): Promise<FoundRoute | undefined>
  /** The same with what is known about the route. */
  inspect(names: readonly string[]): Promise<InspectedRoute | undefined>
  /** Routes that are stored under exactly these names. Rejects while the store cannot be read. */
  read(names: readonly string[]): Promise<ReadonlyMap<string, DynamicRoute>>
  /** Reason why the value that is stored under exactly this name is rejected; undefined if it is a route, or there is none. */
  rejection(name: string): Promise<string | undefined>
  /** All routes with names that match a pattern (pattern.ts); default: all. */
  list(pattern?: string): Promise<ReadonlyMap<string, DynamicRoute>>
  /** Sets or removes routes of hosts and wildcards. Settles when the changes are processed; rejects with an OperatorError if they were not stored. */
  set(changes: ReadonlyMap<string, DynamicRoute | undefined>): Promise<void>
  status(): RouteStoreStatus
}

/** Route with the name that it is stored under. */
export interface FoundRoute {
  name: string
  route: DynamicRoute
}

/** Route with its origin. */
export interface InspectedRoute extends FoundRoute {
  /** File, or key in Redis. */
  source: string
  /** Time since it was read for nginx; undefined if nginx has not asked for it. */
  ageSeconds?: number
  /** Time until it ends by itself; undefined if it does not. */
  expiresInSeconds?: number
}

/** Status of the store. */
export interface RouteStoreStatus {
  /** Number of routes read last. */
  routes: number
  /** Whether these are only the routes that nginx has asked for. */
  isPartial?: boolean
  /** Number of values that were rejected since startup; in a file, of its invalid entries. */
  rejected: number
  /** Reason why the store cannot be read now. */
  problem: string | undefined
}

/**
 * Callback with the new routes by host or wildcard, undefined for a removed one; or `all` if any may have changed, after which nginx asks again. Rejects
 * if the change could not be passed on.
 */
export type OnRoutesChange = (changes: ReadonlyMap<string, DynamicRoute | undefined> | 'all') => Promise<void>

/** File of a file store. */
export interface RouteFileAccess {
  path: string
  /** Undefined if the file does not exist. */
  read(): string | undefined
  write(text: string): void
}

/** Metrics of the store. */
export function routeStoreMetrics({ routes, rejected, problem }: RouteStoreStatus): Metric[] {
  return [
    gauge('dynamic_routes', 'Hosts with a dynamic route', routes),
    gauge('dynamic_routes_rejected', 'Values in the store that are not valid routes', rejected),
    gauge('dynamic_routes_readable', 'Whether the dynamic routes can be read', problem === undefined ? 1 : 0),
  ]
}
