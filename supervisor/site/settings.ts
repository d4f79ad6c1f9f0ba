import type { CertificateSearchSettings } from '../certificates/search.ts'
import type { ConfigFile } from '../config/lost-file.ts'
import type { Problem } from '../config/report.ts'
import type { FrontFiles } from '../front/adapters/files.ts'
import type { SpoolMedium } from '../front/spool.ts'
import type { NginxConnections } from '../nginx/connections.ts'
import type { OwnNginxConf } from '../nginx/own-conf.ts'
import type { OwnFiles } from '../nginx/own-files.ts'
import type { Account } from '../processes/adapters/users.ts'
import type { HookPlans } from '../programs/hook.ts'
import type { JobSettings } from '../programs/jobs/plan.ts'
import type { ProgramSettings } from '../programs/settings.ts'
import type { Route } from '../routes/keys.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import type { Config } from './schema.ts'

/** Configuration, resolved on this machine. */
export interface Settings extends ProgramSettings, JobSettings {
  config: Config
  /** File that the configuration was read from, if any. */
  configFile: ConfigFile | undefined
  apps: AppSettings[]
  hooks: HookPlans
  /** User of nginx's workers; undefined if monohull cannot switch users, so they run as monohull does. */
  nginxUser: Account | undefined
  /** Name for nginx's `user` directive, which a master that runs as root needs. */
  nginxUserName: string | undefined
  /** CPUs that the cgroup grants. */
  cpus: number
  nginxProcesses: number
  nginxConnections: NginxConnections
  /** Directory of the user's http.d and server.d, if it exists. */
  snippets: string | undefined
  ownFiles: OwnFiles
  /** Lines of snippets/proxy.conf. */
  proxySettings: readonly string[]
  ownNginxConf: OwnNginxConf | undefined
  /** HTML of the user's page, in place of the built-in one. */
  maintenancePage: string | undefined
  /** Share of new traces that are sampled, and whether nginx's own spans are exported. */
  traces: { share: number; hasSpans: boolean }
  frontFiles: FrontFiles
  spoolMedium: SpoolMedium
  certificates: Omit<CertificateSearchSettings, 'acme'>
}

/** Settings, or all problems of the configuration on this machine. */
export type SettingsResult = { ok: true; settings: Settings } | { ok: false; problems: Problem[] }

/** Name of the app that serves `/` on any host. */
export function appAtRoot({ routes }: Pick<Config, 'routes'>): string | undefined {
  const isRoot = ({ host, path, match }: Route) => host === undefined && path === '/' && match === 'prefix'
  const target = routes.find(isRoot)?.target
  return target?.kind === 'app' ? target.name : undefined
}
