import type { OwnNginxConf } from './own-conf.ts'

/** Resources that bound the connections of nginx. */
export interface ConnectionResources {
  /** Files that one nginx worker may have open. */
  openFiles: number
  /** Memory of this container or machine. */
  memoryBytes: number
  processes: number
}

/** Connections that nginx may have. */
export interface NginxConnections {
  perWorker: number
  /** Files that one nginx worker may have open. */
  openFiles: number
}

const most = 8192
const least = 64
/** Files that a worker has open without any connection: logs, sockets, its event queue. */
const ownFiles = 64
/** A connection needs a descriptor, and every second one a file: that of a response, or a temporary one. */
const filesPerConnection = 1.5
/** Memory of an open connection with TLS and a head, in nginx. Half of all memory may be used for that. */
const bytesPerConnection = 40 * 1024

/** Connections of each nginx worker, to clients and to the app: what the open files and half of the memory are enough for. */
export function workerConnections({ openFiles, memoryBytes, processes }: ConnectionResources): number {
  const byFiles = (openFiles - ownFiles) / filesPerConnection
  const byMemory = memoryBytes / 2 / bytesPerConnection / processes
  return Math.max(least, Math.min(most, Math.floor(byFiles), Math.floor(byMemory)))
}

/** Connections in the user's own nginx.conf; undefined if it includes ours. nginx's default is 512. */
function ownConnections({ text }: OwnNginxConf): number | undefined {
  if (/^[^#\n]*\binclude\s+["']?rendered\/events\.conf["']?\s*;/m.test(text)) return undefined
  return Number(/^[^#\n]*\bworker_connections\s+(\d+)\s*;/m.exec(text)?.[1] ?? 512)
}

/** Connections from the configuration: those of the user's own nginx.conf, else those of the key, else automatic ones. */
export function nginxConnections(
  resources: ConnectionResources,
  { key, ownConf }: { key: number | 'auto'; ownConf: OwnNginxConf | undefined },
): NginxConnections {
  const perWorker = (ownConf && ownConnections(ownConf)) ?? (key === 'auto' ? workerConnections(resources) : key)
  return { perWorker, openFiles: resources.openFiles }
}

/** Zone with the number of requests of each nginx worker, by its pid. */
export const requestZone = 'monohull_requests'

/** Line for a location or server that responds when all others refuse: its requests count, and have no limit. */
export const everyRequest = `limit_conn ${requestZone} 65535;`

/** Content of rendered/events.conf. */
export function renderEvents({ perWorker }: NginxConnections): string[] {
  return ['# nginx.worker_connections', `worker_connections ${perWorker};`]
}

/** Line for the main block: the limit of open files, which the process that started nginx may have lowered. */
export function renderOpenFiles({ openFiles }: NginxConnections, ownConf: OwnNginxConf | undefined): string[] {
  if (!Number.isFinite(openFiles) || (ownConf && /^[^#\n]*\bworker_rlimit_nofile\s/m.test(ownConf.text))) return []
  return ['# nginx.worker_connections', `worker_rlimit_nofile ${openFiles};`]
}

/**
 * Requests that one nginx worker processes at the same time. Each has a connection to the client and one to the app. The remaining ones are
 * for health, handshakes and request heads.
 */
export function workerRequests(connections: number): number {
  return Math.max(1, Math.floor((connections - Math.max(32, connections / 8)) / 2))
}
