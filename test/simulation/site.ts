import type { ProcessPlan } from '../../supervisor/programs/plan.ts'
import type { Rendering } from '../../supervisor/run/running-nginx.ts'
import type { RunningModel } from '../../supervisor/site/compose.ts'
import type { Settings } from '../../supervisor/site/settings.ts'
import type { WorkerPlan } from '../../supervisor/workers/plan.ts'
import { gracefulTimeoutMs, planOf } from './programs.ts'
import type { Random } from './random.ts'

/** Time for a whole stop, in ms. */
export const stopTimeoutMs = 3000

/** What is drawn for a version of the configuration. */
export interface SiteChoice {
  /** Program of each app. */
  programs: Readonly<Record<string, string>>
  /** Program of the background processes; undefined: none. */
  process: string | undefined
  /** `rejected` or `refused` by nginx, or empty. */
  defect: string
}

/** Name of a version: `v3`, or `v3 rejected`. */
export const versionOf = (settings: Settings) => (settings.config as unknown as { version: string }).version

/** Settings of a version, as far as a simulated run reads them. Each program gets the version as an argument. */
export function settingsOf(random: Random, version: string, { programs, process, defect }: SiteChoice): Settings {
  const apps = Object.entries(programs).map(([app, program]) => {
    const argv = [program, version]
    const plan: WorkerPlan = { ...planOf(random, program), app, argv, argvFor: () => argv, count: random.between(1, 2) }
    return { name: app, plan, config: { graceful_timeout: gracefulTimeoutMs, detached: 'report' } }
  })
  const queue: ProcessPlan = {
    name: 'queue',
    argv: [process ?? '', version],
    directory: '/',
    uid: undefined,
    gid: undefined,
    stopSignal: 'SIGTERM',
    gracefulTimeoutMs,
    env: () => ({}),
    count: random.between(1, 2),
    watchesItself: false,
    minUptimeMs: 1000,
    backoff: { initialMs: 100, maxMs: 1000 },
    restart: 'always',
  }
  return {
    config: {
      version: `${version} ${defect}`.trim(),
      ...{ run_dir: '/run', stop_timeout: stopTimeoutMs, stop_delay: random.pick([0, 0, 200]), https: 'off' },
      routes: Object.keys(programs).map(name => ({ path: '/', match: 'prefix', target: { kind: 'app', name } })),
      ...{ apps: {}, processes: {}, dynamic_routes: undefined },
    },
    apps,
    processes: process === undefined ? [] : [queue],
    ...{ init: [], hooks: {}, nginxUser: undefined },
  } as unknown as Settings
}

/** Addresses of workers for each app of the settings, with their version. */
export const rendering: Rendering = {
  configuration(settings, running) {
    return { files: new Map([['site.conf', siteText(settings, running)]]), ownConf: undefined }
  },
  requestsMs: () => gracefulTimeoutMs,
}

/** Text of a configuration: the version, and an app with its paths per line. */
function siteText(settings: Settings, running: Pick<RunningModel, 'serversOf'>): string {
  const lines = settings.apps.flatMap(({ name, plan }) =>
    plan
      ? `${name} ${running
          .serversOf(plan)
          .map(({ address }) => (address.kind === 'unix' ? address.path : ''))
          .join(' ')}`
      : [],
  )
  return [versionOf(settings), ...lines].join('\n')
}

/** Paths of sockets that a text sends requests to. */
export function pathsIn(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => line.split(' ').slice(1))
    .filter(path => path !== '')
}
