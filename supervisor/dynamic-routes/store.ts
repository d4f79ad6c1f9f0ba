import { gauge, type Metric } from '../base/metrics.ts'
import type { DynamicTarget } from './route.ts'

/** Where dynamic routes are kept. It may be elsewhere, and anybody may write there: what it gives was looked at. */
export interface RouteStore {
  /** Undefined: there is none. Rejects when nobody can tell. */
  find(host: string): Promise<DynamicTarget | undefined>
  /** All of them; none while nobody can tell. */
  list(): Promise<ReadonlyMap<string, DynamicTarget>>
  /** Sets a host's target, or removes it. Settles when whoever hears of changes has taken it; an OperatorError when it was not kept. */
  set(host: string, target: DynamicTarget | undefined): Promise<void>
  status(): RouteStoreStatus
}

export interface RouteStoreStatus {
  /** How many there are, of those that were read last. */
  routes: number
  /** Why it cannot be read now. */
  problem: string | undefined
}

/** Hosts with another target than before; undefined: none any more. Rejects when it could not be told further. */
export type OnRoutesChange = (changes: ReadonlyMap<string, DynamicTarget | undefined>) => Promise<void>

/** The file of a store that is a file. */
export interface RouteFileAccess {
  path: string
  /** Undefined: there is none. */
  read(): string | undefined
  write(text: string): void
}

/** Metrics of the store. */
export function routeStoreMetrics({ routes, problem }: RouteStoreStatus): Metric[] {
  return [
    gauge('dynamic_routes', 'Hosts with a dynamic route', routes),
    gauge('dynamic_routes_readable', 'Whether the store of dynamic routes can be read', problem === undefined ? 1 : 0),
  ]
}
