import { OperatorError, reasonOf } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import type { Complain } from '../config/report.ts'
import { accountEnv, checkPort, checkProgram, type ProgramContext } from '../processes/adapters/program-context.ts'
import { withoutPrefix } from '../processes/app-command.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { instanceEnv, programEnv } from '../processes/environment.ts'
import type { HookEvent, HookFacts, HookPlans } from './hook.ts'
import type { HookResult, Hooks } from './hooks.ts'

/** Configured hook commands by event. */
export type HookKeys = Partial<Record<HookEvent, { command: string[]; timeout: number } | undefined>>

/** Plans of the configured hooks, which run with the user, directory and environment of an app. */
export function planHooks(
  hooks: HookKeys,
  { context, world, runDir, complain }: { context: ProgramContext; world: World; runDir: string; complain: Complain },
): HookPlans {
  const plans: HookPlans = {}
  for (const [name, hook] of Object.entries(hooks)) {
    if (!hook) continue
    const { env, argv } = withoutPrefix(hook.command)
    checkProgram(`hooks.${name}`, argv, { context, complain })
    checkPort(`hooks.${name}`, argv, {
      env: { ...world.env, ...env, ...context.env },
      fix: 'write the port itself',
      complain,
    })
    plans[name as HookEvent] = {
      argv,
      directory: context.directory,
      env: programEnv({
        inherited: { ...world.env, PATH: context.path },
        configured: { ...context.env, ...env },
        account: accountEnv(context.account),
        instance: instanceEnv(runDir, world.env),
      }),
      uid: context.account?.uid,
      gid: context.account?.gid,
      timeoutMs: hook.timeout,
    }
  }
  return plans
}

/** Runner of the hooks of a run. The module that runs commands is loaded with the first one. */
export interface HookRunner {
  /** Runs the event's command, if there is one, until it ends. */
  run(event: HookEvent, plans: HookPlans, options?: { facts?: HookFacts; limitMs?: number }): Promise<HookResult>
  /** Like `run`, but a failure is only logged. */
  attempt(event: HookEvent, plans: HookPlans, options?: { facts?: HookFacts; limitMs?: number }): Promise<void>
  /** Runs the event's command, if there is one, in the background. */
  enqueue(event: HookEvent, plans: HookPlans, facts: HookFacts): void
  /** Resolves when no command runs in the background. */
  settled(): Promise<void>
  /** Stops the running commands. */
  end(): Promise<void>
}

/** Runner that spawns nothing until the first hook. */
export function createHookRunner(runtime: ProcessRuntime): HookRunner {
  let loading: Promise<Hooks> | undefined
  const load = () => {
    loading ??= loadHooks()
    return loading
  }
  const loadHooks = async () => {
    try {
      return (await import('./hooks.ts')).createHooks(runtime)
    } catch (error) {
      loading = undefined // there may be descriptors the next time
      throw error
    }
  }
  const run: HookRunner['run'] = async (event, plans, { facts = {}, ...limit } = {}) => {
    const plan = plans[event]
    if (!plan) return { ok: true }
    let hooks: Hooks
    try {
      hooks = await load()
    } catch (error) {
      return { ok: false, reason: reasonOf(error), code: 126 }
    }
    return hooks.run({ event, plan, facts, ...limit })
  }
  return {
    run,
    async attempt(event, plans, options) {
      const result = await run(event, plans, options)
      if (!result.ok) runtime.log.warn('hook failed', { hook: event, reason: result.reason })
    },
    enqueue(event, plans, facts) {
      const plan = plans[event]
      if (!plan) return
      load().then(
        hooks => hooks.enqueue({ event, plan, facts }),
        (error: unknown) =>
          runtime.log.warn('hook failed', { hook: event, worker: facts.worker, reason: reasonOf(error) }),
      )
    },
    async settled() {
      await (await loading)?.settled()
    },
    async end() {
      await (await loading)?.end()
    },
  }
}

/** Error for a startup that a failed before_start hook ended, with the exit code of its command. */
export function startRefusedBy(result: Extract<HookResult, { ok: false }>): OperatorError {
  return new OperatorError(`cannot start: hook before_start ${result.reason}`, {
    fix: 'fix the command in hooks.before_start; its output is above',
    code: result.code,
  })
}
