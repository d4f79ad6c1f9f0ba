import { createLog } from '../../../supervisor/base/log.ts'
import type { HookPlans } from '../../../supervisor/programs/hook.ts'
import { createHookRunner } from '../../../supervisor/programs/hook-runner.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem } from '../refusing-system.ts'

const plan = { argv: ['notify'], directory: '/', env: {}, uid: undefined, gid: undefined, timeoutMs: 1000 }
export const plans: HookPlans = { worker_exit: plan, before_stop: plan, before_reload: plan }
export const facts = { worker: 'app.1' }

/** Hooks on a system that refuses what a test says. */
export function createFaultyHooks() {
  const system = createRefusingSystem()
  const { clock, advance } = createHandClock()
  const lines: string[] = []
  const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) })
  const hooks = createHookRunner({ clock, log, random: () => 0, spawn: system.spawn })
  return { ...system, hooks, lines, advance }
}
