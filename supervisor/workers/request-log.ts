import { callLua } from '../nginx/text.ts'
import type { BusyCounter } from './autoscaling/busy-counter.ts'

/** Parts of nginx's model that its log phase depends on. */
export interface RequestLogModel {
  /** Whether nginx runs Lua for each response of an app or upstream. */
  filtersResponses: boolean
  busyCounter: BusyCounter | undefined
}

/** Lines for a location of an app: what nginx does when a request has ended. It notes the worker, and the time of all tries. */
export function renderRequestLog(app: string, { filtersResponses, busyCounter }: RequestLogModel): string[] {
  const words = busyCounter?.apps.includes(app) ? [app, ...(busyCounter.sleepers.includes(app) ? ['sleeps'] : [])] : []
  if (filtersResponses) return [callLua('log', 'worker.log', ...words)]
  return words.length > 0 ? [callLua('log', 'busy.count', ...words)] : []
}
