import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const env = process.env

/** Variables of the worker contract, which child processes of the app do not get. */
const names = [
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'MONOHULL_SOCKET_INODE',
  'MONOHULL_SOCKET_FD',
  'MONOHULL_NOTIFY_FD',
  'MONOHULL_PROTOCOL',
  'MONOHULL_STOP_SIGNAL',
  'MONOHULL_GRACEFUL_TIMEOUT_MS',
  'MONOHULL_LOAD_INTERVAL_MS',
  'MONOHULL_REQUEST_LIMIT',
  'MONOHULL_HEARTBEAT_MS',
]
const preloadOption = /^--require ("(?:[^"\\]|\\.)*"|\S+) ?/

/** The worker contract as this process got it. */
export const contract = {
  /** Descriptor of the worker's socket. A wrapper may pass it on as another one than 3. */
  socketDescriptor: Number(env.MONOHULL_SOCKET_FD ?? 3),
  /** Inode of the socket; 0 if the worker listens on $PORT. */
  socketInode: Number(env.MONOHULL_SOCKET_INODE ?? 0),
  notifyDescriptor: Number(env.MONOHULL_NOTIFY_FD),
  /** Protocol that nginx speaks to this process. */
  protocol: env.MONOHULL_PROTOCOL ?? 'http',
  /** Signal on which this process drains. */
  stopSignal: (env.MONOHULL_STOP_SIGNAL ?? 'SIGTERM') as NodeJS.Signals,
  gracefulTimeoutMs: Number(env.MONOHULL_GRACEFUL_TIMEOUT_MS ?? 8000),
  loadIntervalMs: Number(env.MONOHULL_LOAD_INTERVAL_MS ?? 0),
  heartbeatMs: Number(env.MONOHULL_HEARTBEAT_MS ?? 0),
  requestLimit: Number(env.MONOHULL_REQUEST_LIMIT ?? 0),
  /** Option of NODE_OPTIONS that loads the preload. */
  preload: preloadOption.exec(env.NODE_OPTIONS ?? '')?.[0].trim() ?? '',
  /** Its variables, for a child to which it is passed on. */
  variables: Object.fromEntries(names.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]]))),
}

/** Whether this process has the worker's descriptors; a child of the app may have inherited only the environment. */
export function isWorker(): boolean {
  const { socketInode, socketDescriptor, notifyDescriptor } = contract
  if (!isMainThread) return false
  try {
    // Node 18 to 22 resolve no symbolic links after a stat of a socket, unless its numbers are bigint
    if (socketInode > 0) return Number(fs.fstatSync(socketDescriptor, { bigint: true }).ino) === socketInode
    return notifyDescriptor > 0 && !fs.fstatSync(notifyDescriptor, { bigint: true }).isFile()
  } catch {
    return false // the descriptor is closed here
  }
}

/** Removes the contract's variables, so that child processes of the app do not act as workers. */
export function hideContract(): void {
  env.NODE_OPTIONS = (env.NODE_OPTIONS ?? '').replace(preloadOption, '')
  if (env.NODE_OPTIONS === '') delete env.NODE_OPTIONS
  for (const name of names) delete env[name]
}

/** Writes a line to the notify descriptor. */
export function notify(message: string): void {
  try {
    fs.writeSync(contract.notifyDescriptor, `${message}\n`)
  } catch {
    // the supervisor is gone or does not read; the worker keeps serving
  }
}

/** Writes a warning for the operator to the log. */
export function warn(message: string): void {
  process.stderr.write(`monohull: ${message}\n`)
}
