import type { WorkerStatus } from './status.ts'

/** Number of workers that routes lead to. */
export interface WorkerCount {
  ready: number
  total: number
  /** Apps without a worker until the next request, or whose worker boots for it; undefined: none. */
  asleep?: number
}

/** Workers of one app that a route leads to. */
export interface AppCount extends WorkerCount {
  name: string
}

/** Count of an app. A worker that is being replaced counts as ready: it serves until its successor takes over. While an app sleeps, its requests wait. */
export function countReady(name: string, workers: readonly Pick<WorkerStatus, 'state'>[]): AppCount {
  const ready = workers.filter(({ state }) => state === 'serving' || state === 'replacing').length
  const asleep = workers.filter(({ state }) => state === 'asleep' || state === 'waking').length
  return { name, ready, total: workers.length, ...(asleep > 0 ? { asleep } : {}) }
}

/** Total of all apps; undefined without apps. */
export function sumWorkers(apps: readonly AppCount[]): WorkerCount | undefined {
  if (apps.length === 0) return undefined
  const sum = (of: keyof WorkerCount) => apps.reduce((total, app) => total + (app[of] ?? 0), 0)
  const asleep = sum('asleep')
  return { ready: sum('ready'), total: sum('total'), ...(asleep > 0 ? { asleep } : {}) }
}

/** Reason why not every app has a ready worker; undefined if every one has. `waitsFor`: what an app that has not started yet waits for. */
export function describeUnready(
  apps: readonly AppCount[],
  waitsFor: (app: string) => readonly string[] | undefined = () => undefined,
): string | undefined {
  const unready = apps.filter(({ ready, asleep = 0 }) => ready + asleep === 0).map(({ name }) => name)
  if (unready.length === 0) return undefined
  const [held] = unready.flatMap(name => waitsFor(name)?.map(other => `${name} waits for ${other}`) ?? [])
  if (held !== undefined) return held
  return apps.length === 1 ? 'no worker is ready' : `no worker of ${unready.join(', ')} is ready`
}
