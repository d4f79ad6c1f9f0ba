import type { DynamicRoute, WeightedTarget } from './route.ts'
import { formatTarget } from './target.ts'

/** Greatest weight of a target. */
const greatest = 999

/** Route to other targets. The settings of the present one stay, such as its passwords, unless the next one has any. */
export function withSettingsOf(present: DynamicRoute | undefined, next: DynamicRoute): DynamicRoute {
  const { targets, ...own } = next
  const hasOwn =
    own.isSticky || own.maxBodyBytes !== undefined || own.readTimeoutMs !== undefined || own.users.length > 0
  return present && !hasOwn ? { ...present, targets } : next
}

/** Route that sends a share of the requests, in percent, to the targets of the next route, and the others where they go at present. */
export function withShare(
  present: DynamicRoute,
  next: DynamicRoute,
  { percent, isSticky }: { percent: number; isSticky: boolean },
): DynamicRoute {
  const names = new Set(next.targets.map(({ target }) => formatTarget(target)))
  const others = present.targets.filter(({ target }) => !names.has(formatTarget(target)))
  // weights are whole numbers: with several targets on a side, their parts of a percent count too
  const scale = Math.max(others.length, next.targets.length) > 1 ? 9 : 1
  const targets = [...spread(others, (100 - percent) * scale), ...spread(next.targets, percent * scale)]
  return { ...next, targets, isSticky: isSticky || next.isSticky }
}

/** Targets whose weights add up to `total`, in the proportion that they have. */
function spread(targets: readonly WeightedTarget[], total: number): WeightedTarget[] {
  const sum = targets.reduce((all, { weight }) => all + weight, 0)
  return targets.map(({ target, weight }) => ({
    target,
    weight: Math.min(greatest, Math.max(1, Math.round((weight / sum) * total))),
  }))
}
