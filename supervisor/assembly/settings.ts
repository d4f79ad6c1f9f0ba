import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { grantedCpus } from '../adapters/cgroup.ts'
import { findProgram, openProject, searchPath } from '../adapters/project.ts'
import { type Account, canSwitchUsers, findAccount, findClosedFolder } from '../adapters/users.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import { type Problem, secretMask } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import { type AppContent, chooseContent } from '../domain/app-command.ts'
import { fillPort, workerEnv } from '../domain/worker-env.ts'
import type { CertificateSettings } from '../services/certificates.ts'
import type { WorkerPlan } from '../services/worker-plan.ts'

const appName = 'app'
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What surrounds this run of monohull: read once, in main. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  /** Folder of the installation, with dist/ and nginx/. */
  home: string
}

/** The configuration together with what this machine makes of it. */
export interface Settings {
  config: Config
  directory: string
  content: AppContent
  /** Undefined when the content is static files. */
  plan: WorkerPlan | undefined
  /** nginx's workers, when monohull may choose; undefined: as monohull itself. */
  nginxUser: Account | undefined
  /** Name for nginx's `user` directive, which a root master needs. */
  nginxUserName: string | undefined
  appUser: Account | undefined
  nginxProcesses: number
  snippets: string | undefined
  certificates: CertificateSettings
}

export type SettingsResult = { ok: true; settings: Settings } | { ok: false; problems: Problem[] }

/** Looks at the machine: folders, users, CPUs, the command. Every problem at once. */
export function resolveSettings(config: Config, world: World): SettingsResult {
  const problems: Problem[] = []
  const complain = (key: string, value: unknown, problem: string, fix: string) => {
    problems.push({ key, source: 'this machine', value, problem, fix })
  }
  const directory = resolve(config.app.directory)
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    complain('app.directory', config.app.directory, 'is no folder', 'name the folder of the app')
    return { ok: false, problems }
  }
  const cpus = Math.max(1, Math.ceil(grantedCpus()))
  const users = chooseUsers(config, complain)
  const path = searchPath(directory, world.env.PATH ?? defaultPath)
  const secrets = readSecrets(config, directory, complain)
  const content = choose(config, { directory, path, home: world.home, complain })
  const plan =
    content && content.kind !== 'files'
      ? createPlan({
          config,
          world,
          directory,
          content,
          path,
          secrets,
          appUser: users.app,
          count: config.app.workers === 'auto' ? cpus : config.app.workers,
        })
      : undefined
  if (plan) checkProgram(plan, path, complain)
  checkAccess(content, directory, users, complain)
  const snippets = resolve(directory, config.nginx.snippets)
  if (/[\s$"'\\;{}]/.test(snippets)) {
    complain('nginx.snippets', snippets, 'holds spaces, quotes or $, which nginx cannot take', 'move the folder')
  }
  if (!content || problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    settings: {
      config,
      directory,
      content,
      plan,
      nginxUser: users.nginx,
      nginxUserName: users.nginx?.name ?? (process.geteuid?.() === 0 ? 'root' : undefined),
      appUser: users.app,
      nginxProcesses: config.nginx.worker_processes === 'auto' ? cpus : config.nginx.worker_processes,
      snippets: statSync(snippets, { throwIfNoEntry: false })?.isDirectory() ? snippets : undefined,
      certificates: {
        certDir: config.cert_dir,
        stateDir: config.state_dir,
        runDir: config.run_dir,
        isRequired: config.tls.required,
        hostname: hostname(),
        serverNames: config.server_names,
      },
    },
  }
}

type Complain = (key: string, value: unknown, problem: string, fix: string) => void

function chooseUsers(config: Config, complain: Complain): { nginx: Account | undefined; app: Account | undefined } {
  const wanted = config.app.user
  const account = findAccount(wanted ?? 'app')
  if (wanted !== undefined && !account)
    complain('app.user', wanted, 'is no user of this system', 'useradd it in the Dockerfile, or leave app.user out')
  if (canSwitchUsers()) return { nginx: findAccount('www-data') ?? findAccount('nginx'), app: account }
  if (wanted !== undefined && account && account.uid !== process.getuid?.()) {
    complain(
      'app.user',
      wanted,
      `cannot be switched to by user ${process.getuid?.()} without CAP_SETUID, CAP_SETGID, CAP_CHOWN and CAP_KILL`,
      'start monohull as root, or leave app.user out',
    )
  }
  return { nginx: undefined, app: undefined }
}

function choose(
  config: Config,
  where: { directory: string; path: string; home: string; complain: Complain },
): AppContent | undefined {
  // started in the folder of the installation: its own package.json is no app
  if (!config.app.command && where.directory === where.home) return { kind: 'welcome', origin: 'no app given' }
  try {
    const result = chooseContent(config.app.command, openProject(where.directory, where.path))
    if (!result.ok) where.complain('app.command', config.app.command, result.problem, result.fix)
    else if (result.content.kind !== 'files') return result.content
    else {
      const root = resolve(where.directory, result.content.root)
      if (!/[$"\\;{}\n]/.test(root)) return { ...result.content, root }
      where.complain('app.command', root, 'holds characters that nginx cannot take in a path', 'rename the folder')
    }
  } catch (error) {
    where.complain(
      'app.command',
      undefined,
      messageOf(error),
      error instanceof OperatorError ? error.fix : 'mend the app folder',
    )
  }
  return undefined
}

function readSecrets(config: Config, directory: string, complain: Complain): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(config.app.env)) {
    if (typeof value === 'string') {
      env[name] = value
      continue
    }
    try {
      env[name] = readFileSync(resolve(directory, value.file), 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      complain(`app.env.${name}`, secretMask, messageOf(error), 'name a readable file')
    }
  }
  return env
}

function checkProgram(plan: WorkerPlan, path: string, complain: Complain): void {
  const [program = ''] = plan.argv
  const search = findProgram(program, plan.directory, path)
  if (search.kind === 'not found')
    complain(
      'app.command',
      program,
      'was not found',
      `install it in the image, or mend the command; looked in ${program.includes('/') ? plan.directory : path}`,
    )
  if (search.kind === 'not executable')
    complain(
      'app.command',
      search.path,
      'is not executable',
      `chmod +x ${search.path}, or name its interpreter: node ${program}`,
    )
}

/** Started as root, monohull reads everything; the users it starts others as may not. */
function checkAccess(
  content: AppContent | undefined,
  directory: string,
  users: { nginx: Account | undefined; app: Account | undefined },
  complain: Complain,
): void {
  const [path, account] = content?.kind === 'files' ? [content.root, users.nginx] : [directory, users.app]
  if (!content || content.kind === 'welcome' || !account) return
  const closed = findClosedFolder(path, account)
  if (closed)
    complain(
      'app.directory',
      path,
      `cannot be entered by user ${account.name}: ${closed} is closed to it`,
      `chmod o+x ${closed}, or move the app`,
    )
}

interface PlanSources {
  config: Config
  world: World
  directory: string
  content: Exclude<AppContent, { kind: 'files' }>
  path: string
  secrets: Record<string, string>
  appUser: Account | undefined
  count: number
}

function createPlan(sources: PlanSources): WorkerPlan {
  const { world, directory, content, appUser, count } = sources
  const { app } = sources.config
  const argv =
    content.kind === 'command'
      ? content.argv
      : [process.execPath, '--no-deprecation', join(world.home, 'dist/app/server.cjs')]
  const configured = { ...(content.kind === 'command' ? content.env : {}), ...sources.secrets }
  const account: Record<string, string> = appUser
    ? { HOME: appUser.home, USER: appUser.name, LOGNAME: appUser.name }
    : {}
  return {
    app: appName,
    argv,
    argvFor: port => fillPort(argv, port),
    directory: content.kind === 'command' ? directory : world.home,
    uid: appUser?.uid,
    gid: appUser?.gid,
    count,
    listen: app.listen,
    env: identity =>
      workerEnv(
        {
          inherited: { ...world.env, PATH: sources.path },
          configured,
          account,
          preload: join(world.home, 'dist/preload.cjs'),
        },
        {
          app: appName,
          workers: count,
          namesDescriptor: argv.some(word => word.includes('fd://3')),
          gracefulTimeoutMs: app.graceful_timeout,
          ...identity,
        },
      ),
    bootTimeoutMs: app.boot_timeout,
    gracefulTimeoutMs: app.graceful_timeout,
    minUptimeMs: app.min_uptime,
    backoff: { initialMs: app.backoff.initial, maxMs: app.backoff.max },
  }
}
