import { gauge, type Metric } from '../base/metrics.ts'
import type { DynamicRoute } from './route.ts'

/** Store of dynamic routes. Other programs may write to it, so it validates every route that it returns. */
export interface RouteStore {
  /** First of some names (a host, then the wildcards that match it) that has a route; undefined if none has. Rejects while the store cannot be read. */
  find(names: readonly string[]): Promise<FoundRoute | undefined>
  /** All routes; none while the store cannot be read. */
  list(): Promise<ReadonlyMap<string, DynamicRoute>>
  /** Sets or removes the route of a host or wildcard. Settles when the change is processed; rejects with an OperatorError if it was not stored. */
  set(name: string, route: DynamicRoute | undefined): Promise<void>
  /** Whether it may not notice a change, so that nginx has to ask again from time to time. */
  missesChanges?(): boolean
  status(): RouteStoreStatus
}

/** Route with the name that it is stored under. */
export interface FoundRoute {
  name: string
  route: DynamicRoute
}

/** Status of the store. */
export interface RouteStoreStatus {
  /** Number of routes read last. */
  routes: number
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
export function routeStoreMetrics({ routes, problem }: RouteStoreStatus): Metric[] {
  return [
    gauge('dynamic_routes', 'Hosts with a dynamic route', routes),
    gauge('dynamic_routes_readable', 'Whether the dynamic routes can be read', problem === undefined ? 1 : 0),
  ]
}
