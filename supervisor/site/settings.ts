import type { CertificateSearchSettings } from '../certificates/search.ts'
import type { Problem } from '../config/report.ts'
import type { FrontFiles } from '../front/adapters/files.ts'
import type { OwnNginxConf } from '../nginx/own-conf.ts'
import type { Account } from '../processes/adapters/users.ts'
import type { HookPlans } from '../programs/hook.ts'
import type { ProgramSettings } from '../programs/settings.ts'
import type { Route } from '../routes/keys.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import type { Config } from './schema.ts'

/** The configuration together with what this machine makes of it. */
export interface Settings extends ProgramSettings {
  config: Config
  apps: AppSettings[]
  hooks: HookPlans
  /** nginx's workers, when monohull may choose; undefined: as monohull itself. */
  nginxUser: Account | undefined
  /** Name for nginx's `user` directive, which a root master needs. */
  nginxUserName: string | undefined
  nginxProcesses: number
  snippets: string | undefined
  ownNginxConf: OwnNginxConf | undefined
  /** The user's own, in place of the one built in. */
  maintenancePage: string | undefined
  frontFiles: FrontFiles
  certificates: Omit<CertificateSearchSettings, 'acme'>
}

export type SettingsResult = { ok: true; settings: Settings } | { ok: false; problems: Problem[] }

/** The app that answers whatever no other route takes. */
export function appAtRoot({ routes }: Pick<Config, 'routes'>): string | undefined {
  const isRoot = ({ host, path, match }: Route) => host === undefined && path === '/' && match === 'prefix'
  const target = routes.find(isRoot)?.target
  return target?.kind === 'app' ? target.name : undefined
}
