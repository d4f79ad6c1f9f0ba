import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { findBlockingFile } from '../../base/adapters/blocking-file.ts'
import type { World } from '../../base/world.ts'
import { checkAcme, checkAuthority } from '../../certificates/acme/adapters/requirements.ts'
import type { ConfigFile } from '../../config/lost-file.ts'
import { type Complain, collectProblems } from '../../config/report.ts'
import { findFrontFiles } from '../../front/adapters/files.ts'
import { readHtmlPage } from '../../front/adapters/html-page.ts'
import { findSpoolMedium } from '../../front/adapters/spool-medium.ts'
import { checkCacheRoom } from '../../front/cache/adapters/space.ts'
import { otlpSettings, sampledShare } from '../../logs/otlp/settings.ts'
import { readOwnNginxConf } from '../../nginx/adapters/own-conf.ts'
import { findSnippets, readOwnFiles } from '../../nginx/adapters/own-files.ts'
import { nginxConnections } from '../../nginx/connections.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { grantedCpus } from '../../processes/adapters/cgroup.ts'
import { openFilesLimit } from '../../processes/adapters/limits.ts'
import { type Account, canSwitchUsers, findAccount, findClosedDirectory } from '../../processes/adapters/users.ts'
import { planHooks } from '../../programs/hook-runner.ts'
import { resolveJobs } from '../../programs/jobs/settings.ts'
import { mainAppOf, resolvePrograms } from '../../programs/settings.ts'
import { checkRoutes, checkStaticApps } from '../../routes/adapters/files.ts'
import { resolveApp } from '../../workers/adapters/app-settings.ts'
import { knownHosts } from '../known-hosts.ts'
import { withoutWelcome } from '../routing-only.ts'
import type { Config } from '../schema.ts'
import { appAtRoot, type SettingsResult } from '../settings.ts'

/** Default of nginx.snippets; this directory need not exist. */
const usualSnippets = 'nginx'

/** Settings for a configuration, and the file it was read from, on this machine: directories, users, CPUs and commands. Reports all problems at once. */
export function resolveSettings(config: Config, world: World, configFile: ConfigFile | undefined): SettingsResult {
  const { problems, complain } = collectProblems()
  const cpus = Math.max(1, Math.ceil(grantedCpus()))
  const nginxUser = canSwitchUsers() ? (findAccount('www-data') ?? findAccount('nginx')) : undefined
  const apps = Object.entries(config.apps).flatMap(
    ([name, app]) =>
      resolveApp(name, { app, world, runDir: config.run_dir, order: config.dev.restart, cpus, nginxUser, complain }) ??
      [],
  )
  const main = apps.find(({ name }) => name === mainAppOf(config))
  const programs = resolvePrograms({ config, world, main, complain })
  const jobs = resolveJobs({ config, world, main, complain })
  checkAcme(config, { apps, world, complain })
  const [first] = apps
  const context = (apps.find(({ name }) => name === appAtRoot(config)) ?? first)?.context
  const hooks = context ? planHooks(config.hooks, { context, world, runDir: config.run_dir, complain }) : {}
  checkRoutes(config, { nginxUser, complain })
  checkStaticApps(config, { apps, complain })
  const directory = resolve(config.directory)
  checkRunDir(config.run_dir, nginxUser, complain)
  checkStateDir(config.state_dir, complain)
  checkCacheRoom(config, complain)
  checkLogDirectory(config, nginxUser, complain)
  const { syslog_ca: syslogCa } = config.logs
  if (syslogCa !== undefined) checkAuthority('logs.syslog_ca', syslogCa, complain)
  const frontFiles = findFrontFiles(config, { directory, nginxUser, complain })
  const nginxProcesses = config.nginx.worker_processes === 'auto' ? cpus : config.nginx.worker_processes
  const spoolMedium = findSpoolMedium(config, { nginxUser, complain })
  const snippets = resolve(directory, config.nginx.snippets)
  const ownNginxConf = readOwnNginxConf(config.nginx.config, {
    directory,
    complain: (path, problem, fix) => complain('nginx.config', path, problem, fix),
  })
  const hasSnippets = statSync(snippets, { throwIfNoEntry: false })?.isDirectory() ?? false
  // nginx expands * and [ in an include
  if (hasSnippets && (isUnfitPath(snippets) || /[*?[]/.test(snippets)))
    complain(
      'nginx.snippets',
      snippets,
      'contains characters that nginx would misread in a path',
      'rename the directory',
    )
  if (!hasSnippets && config.nginx.snippets !== usualSnippets)
    complain('nginx.snippets', snippets, 'is not a directory', 'set it to the directory with http.d and server.d')
  const routeSnippets = config.routes.flatMap(({ snippet }) =>
    snippet === undefined ? [] : resolve(directory, snippet),
  )
  const ownFiles = readOwnFiles([...(hasSnippets ? findSnippets(snippets) : []), ...routeSnippets], (path, problem) => {
    if (!routeSnippets.includes(path)) complain('nginx.snippets', path, problem, 'make the file readable, or remove it')
  })
  const telemetry = config.logs.otlp ? otlpSettings(world.env) : undefined
  const page = readHtmlPage(config.maintenance_page, directory)
  if (!page.ok) complain('maintenance_page', config.maintenance_page, page.problem, page.fix)
  if (config.watch_config && !configFile)
    complain('watch_config', true, 'has no effect without a configuration file', 'set MONOHULL_CONFIG, or remove it')
  if (!page.ok || problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    settings: {
      // jobs have their plans: a thousand would be kept twice
      ...withoutWelcome({ config: { ...config, jobs: {} }, apps }),
      configFile,
      hooks,
      ...programs,
      ...jobs,
      nginxUser,
      nginxUserName: nginxUser?.name ?? (process.geteuid?.() === 0 ? 'root' : undefined),
      cpus,
      nginxProcesses,
      nginxConnections: nginxConnections(
        { openFiles: openFilesLimit(), memoryBytes: spoolMedium.memoryBytes, processes: nginxProcesses },
        { key: config.nginx.worker_connections, ownConf: ownNginxConf },
      ),
      ownNginxConf,
      snippets: hasSnippets ? snippets : undefined,
      ownFiles,
      proxySettings: readFileSync(join(world.home, 'nginx/snippets/proxy.conf'), 'utf8').split('\n'),
      maintenancePage: page.text,
      traces: {
        share: sampledShare(world.env),
        hasSpans: telemetry?.settings?.urls.traces !== undefined,
      },
      frontFiles,
      spoolMedium,
      certificates: {
        certDir: config.cert_dir,
        stateDir: config.state_dir,
        runDir: config.run_dir,
        isRequired: config.tls.required,
        hostname: hostname(),
        names: knownHosts(config),
      },
    },
  }
}

/** Reports a problem if nginx's user cannot enter run_dir, where the sockets of the workers are: every response would be 403. */
function checkRunDir(path: string, nginxUser: Account | undefined, complain: Complain): void {
  const closed = nginxUser && findClosedDirectory(path, nginxUser)
  if (closed)
    complain(
      'run_dir',
      path,
      `cannot be entered by user ${nginxUser.name}, whom nginx runs as: it has no access to ${closed}`,
      `chmod o+x ${closed}, or set another directory with MONOHULL_RUN_DIR`,
    )
}

/** Reports a problem if a file is where state_dir should be: nothing would survive a restart. */
function checkStateDir(path: string, complain: Complain): void {
  const file = findBlockingFile(path)
  if (file === undefined) return
  const problem = file === path ? 'is not a directory' : `is not a directory: ${file} is a file`
  complain('state_dir', path, problem, 'name a directory, or remove the file')
}

/** Reports a problem if nginx's user, which opens access.log again after a rotation, cannot enter the directory. */
function checkLogDirectory({ logs: { files } }: Config, nginxUser: Account | undefined, complain: Complain): void {
  const closed = files && nginxUser && findClosedDirectory(files.directory, nginxUser)
  if (closed)
    complain(
      'logs.files.directory',
      files.directory,
      `cannot be entered by user ${nginxUser.name}, whom nginx runs as: it has no access to ${closed}`,
      `chmod o+x ${closed}, or set another directory`,
    )
}
