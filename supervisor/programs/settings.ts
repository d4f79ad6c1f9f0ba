import type { World } from '../base/world.ts'
import type { Complain } from '../config/report.ts'
import { findContent } from '../processes/adapters/app-content.ts'
import {
  accountEnv,
  checkAccess,
  checkPort,
  checkProgram,
  findProgramContext,
  type ProgramContext,
} from '../processes/adapters/program-context.ts'
import { identityEnv, instanceEnv, programEnv } from '../processes/environment.ts'
import { watchesItself } from '../processes/self-watching.ts'
import { defaultStopSignal } from '../processes/stop-signal.ts'
import { checkPlans } from './check-plans.ts'
import type { InitConfig, ProcessConfig, ProgramConfig } from './keys.ts'
import type { InitPlan, ProcessPlan } from './plan.ts'
import type { Remember } from './shared-findings.ts'

/** Plans of the init commands and background processes. */
export interface ProgramSettings {
  init: InitPlan[]
  processes: ProcessPlan[]
}

/** Configuration keys that programs depend on. */
export interface ProgramsKeys {
  run_dir: string
  init: readonly InitConfig[]
  processes: Readonly<Record<string, ProcessConfig>>
  apps: Readonly<Record<string, { directory: string; user?: string | undefined }>>
  routes: readonly {
    host?: string | undefined
    path: string
    match: string
    target: { kind: string; name?: string | undefined }
  }[]
}

/** Inputs to the plans of programs. */
export interface ProgramSources {
  config: ProgramsKeys
  world: World
  /** The app whose directory, user and environment programs inherit; undefined if it has problems. */
  main: { context: Pick<ProgramContext, 'env' | 'account'> } | undefined
  complain: Complain
  /** Default: nothing is remembered. */
  remember?: Remember
}

/** Time that an init command has to stop after SIGTERM. */
const initGraceMs = 8000

/** Plans of the programs on this machine. Problems go to `complain`, and a program with one is left out. */
export function resolvePrograms(sources: ProgramSources): ProgramSettings {
  const { config } = sources
  return {
    init: config.init.flatMap((item, index): InitPlan[] => {
      const found = resolveProgram(`init.${index}`, item, sources)
      if (!found) return []
      const { env, ...program } = found
      return [
        {
          ...program,
          env,
          name: `init.${index + 1}`,
          timeoutMs: item.timeout,
          gracefulTimeoutMs: initGraceMs,
          after: item.after,
        },
      ]
    }),
    processes: Object.entries(config.processes).flatMap(([name, item]): ProcessPlan[] => {
      const found = resolveProgram(`processes.${name}`, item, sources)
      if (!found) return []
      const { env, ...program } = found
      return [
        {
          ...program,
          name,
          env: slot => ({ ...env, ...identityEnv({ app: name, slot, workers: item.count }) }),
          count: item.count,
          watchesItself: watchesItself(program.argv),
          stopSignal: item.stop_signal ?? defaultStopSignal(program.argv),
          gracefulTimeoutMs: item.graceful_timeout,
          minUptimeMs: item.min_uptime,
          backoff: { initialMs: item.backoff.initial, maxMs: item.backoff.max },
          restart: item.restart,
          after: item.after,
          ...checkPlans(`processes.${name}`, item, {
            directory: found.directory,
            context: item.ready?.exec || item.health?.exec ? contextOf(item, sources) : undefined,
            complain: sources.complain,
          }),
        },
      ]
    }),
  }
}

/** A program on this machine. Problems go to `complain`; undefined if there is nothing that could run. */
export function resolveProgram(
  key: string,
  item: ProgramConfig,
  { config, world, main, complain, remember = (_id, look) => look(complain) }: ProgramSources,
) {
  const keys = withDefaults(item, { config, main })
  const context = remember(['context', keys], found => findProgramContext(key, keys, world, found))
  const content = context && findContent(key, item.command, { context, complain })
  if (!context || !content) return undefined
  if (content.kind !== 'command') {
    complain(`${key}.command`, item.command, 'is a directory, not a command', 'specify the command that runs it')
    return undefined
  }
  const { directory, realDirectory, account } = context
  // no check looks at further words
  remember(['program', directory, account?.uid, content.argv.slice(0, 2)], found => {
    checkProgram(`${key}.command`, content.argv, { context, complain: found })
    checkAccess(key, directory, account, found)
  })
  checkPort(`${key}.command`, content.argv, {
    env: { ...world.env, ...content.env, ...context.env },
    fix: 'write the port itself',
    complain,
  })
  const env = remember(['env', keys, content.env], () =>
    programEnv({
      inherited: { ...world.env, PATH: context.path },
      account: accountEnv(account),
      instance: instanceEnv(config.run_dir, world.env),
      configured: { ...main?.context.env, ...content.env, ...context.env },
    }),
  )
  return { argv: content.argv, directory, realDirectory, ...idsOf(context), env }
}

/** Where the program of a check is searched for. Its problems have been reported. */
function contextOf(item: ProgramConfig, sources: ProgramSources): ProgramContext | undefined {
  return findProgramContext('', withDefaults(item, sources), sources.world, () => {})
}

/** A program's directory and user, by default those of the main app. */
function withDefaults(
  { directory, user, env }: ProgramConfig,
  { config, main }: Pick<ProgramSources, 'config' | 'main'>,
) {
  const app = config.apps[mainAppOf(config)]
  // that of PHP need not be configured
  const ownUser = app?.user ?? main?.context.account?.name
  return { directory: directory ?? app?.directory ?? '.', user: user ?? ownUser, env }
}

/** Name of the main app: the one that serves `/` for any host, else the first one. */
export function mainAppOf({ apps, routes }: Pick<ProgramsKeys, 'apps' | 'routes'>): string {
  const root = routes.find(({ host, path, match }) => host === undefined && path === '/' && match === 'prefix')
  return (root?.target.kind === 'app' ? root.target.name : undefined) ?? Object.keys(apps)[0] ?? ''
}

function idsOf({ account }: ProgramContext): { uid: number | undefined; gid: number | undefined } {
  return { uid: account?.uid, gid: account?.gid }
}
