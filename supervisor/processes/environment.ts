import { revealed, type Secret } from '../base/secret.ts'

/** Environment of a program. Its secrets are revealed only to the system. */
export type ProgramEnv = Record<string, string | Secret>

/** Values of the worker contract's variables, which use systemd's names where it has them (sd_listen_fds(3), sd_notify(3)). */
export interface WorkerIdentity {
  app: string
  slot: number
  workers: number
  /** Inode of the inherited socket, if there is one. */
  socketInode: number | undefined
  /** Whether the command itself names the descriptor (`--bind fd://3`). With LISTEN_FDS as well, Gunicorn would open it twice. */
  namesDescriptor: boolean
  /** TCP port of a worker without an inherited socket. */
  port: number | undefined
  /** Further variable with that port. */
  portVariable?: string | undefined
  /** Protocol that nginx speaks to it; undefined: HTTP. */
  protocol?: string | undefined
  /** Signal on which it drains. */
  stopSignal: NodeJS.Signals
  gracefulTimeoutMs: number
  /** Interval at which the Node preload reports its load; undefined: never. */
  loadIntervalMs: number | undefined
  /** Interval of its heartbeat; 0: none. */
  heartbeatMs: number
  /** Number of requests after which it reports that it has reached its limit; 0: no limit. */
  requestLimit: number
}

/** Variables that configure monohull or its other children. Workers must not see them. */
const hidden = /^(MONOHULL_|LISTEN_(FDS|PID|FDNAMES)$|NOTIFY_SOCKET$|NGINX$|WEB_CONCURRENCY$)/

/** Sources of a worker's environment. */
export interface WorkerEnvSources {
  /** Environment of monohull itself. */
  inherited: Readonly<Record<string, string | undefined>>
  /** `app.env` with the values of its secrets. */
  configured: Readonly<ProgramEnv>
  /** Variables by which the `monohull` command finds the instance that started the program. */
  instance: Readonly<Record<string, string>>
  /** HOME, USER and LOGNAME of the user it runs as; empty if that is monohull's own user. */
  account: Readonly<Record<string, string>>
  /** Absolute path of the Node preload. */
  preload: string
}

/** Environment of one worker. The spawner adds LISTEN_PID, which only it knows. */
export function workerEnv(sources: WorkerEnvSources, identity: WorkerIdentity): ProgramEnv {
  const env = { ...programEnv(sources), ...identityEnv(identity) }
  if (identity.stopSignal !== 'SIGTERM') env.MONOHULL_STOP_SIGNAL = identity.stopSignal
  if (identity.protocol !== undefined && identity.protocol !== 'http') env.MONOHULL_PROTOCOL = identity.protocol
  // its largest: uWSGI closes a connection whose request head is larger than the usual 4 KB; its command line overrides this
  if (identity.protocol === 'uwsgi') env.UWSGI_BUFFER_SIZE ??= '65535'
  env.MONOHULL_GRACEFUL_TIMEOUT_MS = String(identity.gracefulTimeoutMs)
  if (identity.heartbeatMs > 0) env.MONOHULL_HEARTBEAT_MS = String(identity.heartbeatMs)
  if (identity.requestLimit > 0) env.MONOHULL_REQUEST_LIMIT = String(identity.requestLimit)
  env.MONOHULL_NOTIFY_FD = identity.socketInode === undefined ? '3' : '4'
  if (identity.socketInode !== undefined) {
    if (!identity.namesDescriptor) {
      env.LISTEN_FDS = '1'
      env.LISTEN_FDNAMES = 'http'
    }
    env.MONOHULL_SOCKET_INODE = String(identity.socketInode)
  }
  if (identity.loadIntervalMs !== undefined) env.MONOHULL_LOAD_INTERVAL_MS = String(identity.loadIntervalMs)
  if (identity.port !== undefined)
    for (const name of ['PORT', identity.portVariable]) if (name !== undefined) env[name] = String(identity.port)
  env.NODE_OPTIONS = `--require ${quoteNodeOption(sources.preload)}${env.NODE_OPTIONS ? ` ${revealed(env.NODE_OPTIONS)}` : ''}`
  return env
}

/** Environment of a program that monohull starts: the container's, without the variables that configure monohull. */
export function programEnv(sources: Omit<WorkerEnvSources, 'preload'>): ProgramEnv {
  const env: ProgramEnv = {}
  for (const [name, value] of Object.entries(sources.inherited)) {
    if (value !== undefined && !hidden.test(name)) env[name] = value
  }
  return Object.assign(env, sources.account, sources.configured, sources.instance)
}

/** Variables by which the `monohull` command finds an instance, in hooks, init commands, processes and apps. */
export function instanceEnv(runDir: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { MONOHULL_IMAGE: image } = env
  return { MONOHULL_RUN_DIR: runDir, ...(image === undefined ? {} : { MONOHULL_IMAGE: image }) }
}

/** Variables that identify one of several workers or processes. */
export function identityEnv({
  app,
  slot,
  workers,
}: Pick<WorkerIdentity, 'app' | 'slot' | 'workers'>): Record<string, string> {
  return {
    MONOHULL_APP: app,
    MONOHULL_SLOT: String(slot),
    MONOHULL_WORKER: `${app}.${slot}`,
    MONOHULL_WORKERS: String(workers),
  }
}

function quoteNodeOption(path: string): string {
  return /\s|"/.test(path) ? `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : path
}

const portReference = /\$PORT\b|\$\{PORT\}/g

/** Whether a word of a command contains `$PORT` or `${PORT}`. */
export function namesPort(word: string): boolean {
  return word.search(portReference) >= 0
}

/** Replaces `$PORT` and `${PORT}` in the words of a command. Nothing else is expanded. */
export function fillPort(words: readonly string[], port: number | undefined): string[] {
  if (port === undefined) return [...words]
  return words.map(word => word.replaceAll(portReference, String(port)))
}
