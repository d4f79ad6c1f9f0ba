import { gauge, type Metric } from '../base/metrics.ts'
import type { DynamicTarget } from './route.ts'

/** Store of dynamic routes. Other programs may write to it, so it validates every route that it returns. */
export interface RouteStore {
  /** Target of a host; undefined if it has none. Rejects while the store cannot be read. */
  find(host: string): Promise<DynamicTarget | undefined>
  /** All routes; none while the store cannot be read. */
  list(): Promise<ReadonlyMap<string, DynamicTarget>>
  /** Sets or removes the target of a host. Settles when the change is processed; rejects with an OperatorError if it was not stored. */
  set(host: string, target: DynamicTarget | undefined): Promise<void>
  status(): RouteStoreStatus
}

/** Status of the store. */
export interface RouteStoreStatus {
  /** Number of routes read last. */
  routes: number
  /** Reason why the store cannot be read now. */
  problem: string | undefined
}

/** Callback with the new targets by host; undefined for a removed route. Rejects if the change could not be passed on. */
export type OnRoutesChange = (changes: ReadonlyMap<string, DynamicTarget | undefined>) => Promise<void>

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
