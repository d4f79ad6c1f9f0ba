import { dynamicCounted } from '../dynamic-routes/locations.ts'
import type { CountedRoute } from '../front/requests/counted-route.ts'
import { countedRoutes } from '../routes/counted.ts'
import type { NginxModel } from './model.ts'

/** Every route under which nginx counts requests, by its id. */
export function countedRoutesOf(model: NginxModel): ReadonlyMap<string, CountedRoute> {
  return new Map([...countedRoutes(model), ...(model.dynamicRoutes ? dynamicCounted(model) : [])])
}
