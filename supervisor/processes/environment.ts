/** The worker contract's variables: systemd's socket activation names where it has them (sd_listen_fds(3), sd_notify(3)). */
export interface WorkerIdentity {
  app: string
  slot: number
  workers: number
  /** Kernel number of the inherited socket, when there is one. */
  socketInode: number | undefined
  /** Whether the command names the descriptor itself (`--bind fd://3`): told twice, Gunicorn would open it twice. */
  namesDescriptor: boolean
  /** TCP port of its own, when it has no inherited socket. */
  port: number | undefined
  gracefulTimeoutMs: number
  /** How often the Node preload is to tell how busy it is; undefined: never. */
  loadIntervalMs: number | undefined
  /** How often it is to give a sign of life; 0: never. */
  heartbeatMs: number
  /** Requests after which it is to say so; 0: never. */
  requestLimit: number
}

/** Variables that configure monohull or its other children, and that a worker must not see. */
const hidden = /^(MONOHULL_|LISTEN_(FDS|PID|FDNAMES)$|NOTIFY_SOCKET$|NGINX$|WEB_CONCURRENCY$)/

export interface WorkerEnvSources {
  /** The environment that monohull was started with. */
  inherited: Readonly<Record<string, string | undefined>>
  /** `app.env`, secrets read. */
  configured: Readonly<Record<string, string>>
  /** HOME, USER and LOGNAME of the user it runs as; empty when that is monohull's own. */
  account: Readonly<Record<string, string>>
  /** Absolute path of the Node preload. */
  preload: string
}

/** The environment of one worker. LISTEN_PID is set by the spawner, who alone knows it. */
export function workerEnv(sources: WorkerEnvSources, identity: WorkerIdentity): Record<string, string> {
  const env = { ...programEnv(sources), ...identityEnv(identity) }
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
  if (identity.port !== undefined) env.PORT = String(identity.port)
  env.NODE_OPTIONS = `--require ${quoteNodeOption(sources.preload)}${env.NODE_OPTIONS ? ` ${env.NODE_OPTIONS}` : ''}`
  return env
}

/** The environment of a program that monohull starts: the container's own, without what configures monohull. */
export function programEnv(sources: Omit<WorkerEnvSources, 'preload'>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(sources.inherited)) {
    if (value !== undefined && !hidden.test(name)) env[name] = value
  }
  return Object.assign(env, sources.account, sources.configured)
}

/** Tells one of several who it is. */
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

/** Fills `$PORT` and `${PORT}` into the words of a command; nothing else is expanded. */
export function fillPort(words: readonly string[], port: number | undefined): string[] {
  if (port === undefined) return [...words]
  return words.map(word => word.replaceAll(/\$PORT\b|\$\{PORT\}/g, String(port)))
}
