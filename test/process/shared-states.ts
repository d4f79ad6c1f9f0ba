import type { TestContext } from 'node:test'
import { systemClock, systemRandom } from '../../supervisor/base/adapters/system-clock.ts'
import type { Clock } from '../../supervisor/base/clock.ts'
import type { LogFields } from '../../supervisor/base/log.ts'
import type { SharedStateKeys } from '../../supervisor/shared-state/keys.ts'
import { type OpenSharedState, openSharedState } from '../../supervisor/shared-state/open.ts'
import { defer, until } from './monohull.ts'

export const leaseMs = 1000

export interface StateOptions {
  clock?: Clock
  /** Lines that it logs. */
  lines?: string[]
  keys?: Partial<SharedStateKeys>
}

/** State of an instance, once it is connected. */
export async function join(t: TestContext, url: string, options: StateOptions = {}): Promise<OpenSharedState> {
  const state = open(t, url, options)
  await until('a connection', () => state.problem() === undefined, { details: () => String(state.problem()) })
  return state
}

/** The same, at once. */
export function open(
  t: TestContext,
  url: string,
  { clock = systemClock, keys, lines = [] }: StateOptions = {},
): OpenSharedState {
  const note = (message: string, fields: LogFields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const log = { debug() {}, info: note, warn: note, error: note }
  const all = { url, prefix: 'monohull:', lease: leaseMs, secret: 'x'.repeat(32), ...keys } as SharedStateKeys
  const state = openSharedState({ clock, log, random: systemRandom }, all)
  defer(t, () => state.close())
  return state
}

/** A lock once it is free. */
export const acquired = (state: OpenSharedState, name: string) =>
  until(`the lock ${name}`, () => state.acquire(name).catch(() => undefined))
