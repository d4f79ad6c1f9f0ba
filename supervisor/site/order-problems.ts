import { nearest } from '../base/nearest.ts'

interface Ordered {
  after?: readonly string[] | undefined
}

/** Parts of the configuration in which programs name others that they come after. */
export interface OrderConfig {
  app?: Ordered | undefined
  apps?: Readonly<Record<string, Ordered>> | undefined
  processes: Readonly<Record<string, Ordered>>
  init: readonly Ordered[]
}

/** Problem of a key `after`, with its fix. */
export interface OrderProblem {
  path: (string | number)[]
  message: string
  params: { fix: string }
}

/** Problems of `after`: names that do not exist, cycles, and init commands that come after an app. `apps`: names of all apps. */
export function describeOrderProblems(config: OrderConfig, apps: readonly string[]): OrderProblem[] {
  const { app, processes } = config
  const programs = [
    ...(config.apps
      ? Object.entries(config.apps).map(([name, own]) => ({ name, own, path: ['apps', name] }))
      : app
        ? [{ name: 'app', own: app, path: ['app'] }]
        : []),
    ...Object.entries(processes).map(([name, own]) => ({ name, own, path: ['processes', name] })),
  ]
  const after = new Map(programs.map(({ name, own }) => [name, own.after ?? []]))
  const known = new Set([...apps, ...Object.keys(processes)])
  const items: { name: string | undefined; own: Ordered; path: (string | number)[] }[] = [
    ...config.init.map((own, index) => ({ name: undefined, own, path: ['init', index] })),
    ...programs,
  ]
  const inCycle = new Set<string>()
  return items.flatMap(({ name, own, path }) =>
    (own.after ?? []).flatMap((other, index): OrderProblem[] => {
      const at = (message: string, fix: string) => [{ path: [...path, 'after', index], message, params: { fix } }]
      if (!known.has(other)) return at('is neither a process nor an app', unknownFix(other, known))
      if (name === undefined) {
        const found = findPath(other, one => apps.includes(one), after)
        if (!found) return []
        const what = found.length === 1 ? 'is an app' : `comes after an app: ${found.join(' → ')}`
        return at(`${what}; apps start after the init commands`, 'name processes only, which come after no app')
      }
      const cycle = findPath(other, one => one === name, after)
      if (!cycle || inCycle.has(name)) return []
      for (const one of cycle) inCycle.add(one)
      const text = cycle.length === 1 ? 'names itself' : `makes a cycle: ${[name, ...cycle].join(' → ')}`
      return at(text, 'remove one of these names from its after')
    }),
  )
}

function unknownFix(name: string, known: ReadonlySet<string>): string {
  const close = nearest(name, known)
  if (close !== undefined) return `did you mean ${close}?`
  return known.size === 0 ? 'remove it' : `choose from ${[...known].join(', ')}`
}

/** Way from a name along `after` to one that is searched for; undefined if there is none. */
function findPath(
  from: string,
  isFound: (name: string) => boolean,
  after: ReadonlyMap<string, readonly string[]>,
  seen: Set<string> = new Set(),
): string[] | undefined {
  if (isFound(from)) return [from]
  if (seen.has(from)) return undefined
  seen.add(from)
  for (const other of after.get(from) ?? []) {
    const rest = findPath(other, isFound, after, seen)
    if (rest) return [from, ...rest]
  }
  return undefined
}
