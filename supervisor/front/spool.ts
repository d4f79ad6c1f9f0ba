import { callLua, callLuaInTurn, quote } from '../nginx/text.ts'
import { bytesOf } from './cache/cache.ts'
import type { Limits } from './limits.ts'
import type { RouteRules } from './route-rules.ts'

/** File system that holds nginx's temporary files. */
export interface SpoolMedium {
  /** Directory with a subdirectory for each kind of file. */
  directory: string
  /** Whether its files count as memory (tmpfs). */
  isMemory: boolean
  /** Size of the file system. */
  bytes: number
  /** Memory that this container or machine may use. */
  memoryBytes: number
}

/** Bounds of what nginx stores for clients: bodies before the app gets them, and responses that a client reads slowly. */
export interface Spool {
  directory: string
  /** Largest part of a response in a temporary file; 0: the app waits for the client instead. */
  responseBytes: number
  /** Maximum size of all stored bodies together; undefined: not counted. */
  totalBodyBytes: number | undefined
  /** Whether bodies are stored. If not, the app gets them as they arrive. */
  storesBodies: boolean
  /** Part of a body that stays in nginx's memory. */
  bodyBufferBytes: number
}

const mib = 2 ** 20
const maxResponseBytes = 256 * mib
const minBufferBytes = 16 * 1024
const maxBufferBytes = 128 * 1024

/** Free space below which nginx stores nothing: a twentieth of the file system, and no more than a gigabyte. */
export function minFreeBytes({ bytes }: Pick<SpoolMedium, 'bytes'>): number {
  return Math.min(2 ** 30, bytes / 20)
}

/**
 * Bounds for a medium. On a disk, a response may take a thousandth of it. In memory, the app waits for slow readers, and all bodies
 * together get a quarter of the memory. Counting them needs Lua; without it nothing is stored, and neither if the medium is short of space.
 */
export function spoolOf(
  { directory, isMemory, bytes, memoryBytes }: SpoolMedium,
  { isShort, hasLua, connections }: { isShort: boolean; hasLua: boolean; connections: number },
): Spool {
  const storesBodies = !isShort && (!isMemory || hasLua)
  return {
    directory,
    responseBytes: isMemory || isShort ? 0 : Math.min(maxResponseBytes, Math.max(mib, powerOfTwo(bytes / 1024))),
    totalBodyBytes:
      isMemory && storesBodies ? Math.max(1, Math.floor(Math.min(memoryBytes / 4, bytes / 2) / mib)) * mib : undefined,
    storesBodies,
    bodyBufferBytes: Math.min(maxBufferBytes, Math.max(minBufferBytes, powerOfTwo(memoryBytes / 4 / connections))),
  }
}

function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, value)))
}

/** Lines for the http block. */
export function renderSpool({
  directory,
  responseBytes,
  storesBodies,
  bodyBufferBytes,
  totalBodyBytes,
}: Spool): string[] {
  return [
    '# run_dir, temp_dir',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `${name}_temp_path ${quote(`${directory}/${name}`)};`,
    ),
    `client_body_buffer_size ${bodyBufferBytes / 1024}k;`,
    `proxy_max_temp_file_size ${responseBytes / mib}m;`,
    ...(storesBodies ? [] : ['proxy_request_buffering off;']),
    ...(totalBodyBytes === undefined ? [] : ['lua_shared_dict monohull_bodies 64k;']),
  ]
}

/** Keys of a route about what nginx stores. */
export interface RouteSpool {
  storesBodies: boolean
  /** Largest part of a response in a temporary file, in nginx's notation; undefined: that of the whole front. */
  responseSize: string | undefined
}

/**
 * Lines for the locations of a route that proxies requests. `maxBody`: the largest body that the route accepts, in bytes. `pauseGate`: file
 * that lets requests wait. `choosesCache`: Lua of the cache has the rewrite phase.
 */
export function renderRouteSpool(
  route: RouteSpool,
  options: { spool: Spool; maxBody: number; pauseGate?: string | undefined; choosesCache: boolean },
): string[] {
  const { spool, maxBody, pauseGate, choosesCache } = options
  const { totalBodyBytes, bodyBufferBytes } = spool
  const access: [string, ...string[]][] = [
    ...(pauseGate === undefined ? [] : [['gate.wait', pauseGate] as [string, string]]),
    ...(route.storesBodies && totalBodyBytes !== undefined
      ? [['bodies.reserve', `${totalBodyBytes}`, `${maxBody}`, `${bodyBufferBytes}`] as [string, ...string[]]]
      : []),
  ]
  return [
    ...(route.responseSize !== undefined && spool.responseBytes > 0
      ? [`proxy_max_temp_file_size ${route.responseSize};`]
      : []),
    ...(route.storesBodies ? [] : ['proxy_request_buffering off;']),
    ...(pauseGate === undefined ? [] : renderGate(pauseGate, route.storesBodies && !choosesCache, bodyBufferBytes)),
    ...(access.length > 0 ? [callLuaInTurn('access', access)] : []),
  ]
}

/** Lines that end a request at the gate when its client has left: the client may have sent it again. */
function renderGate(gate: string, readsBody: boolean, bodyBufferBytes: number): string[] {
  return [
    'lua_check_client_abort on;',
    ...(readsBody ? [callLua('rewrite', 'gate.read', gate, `${bodyBufferBytes}`)] : []),
  ]
}

/** Limits of the whole front and of routes, with bodies that fit into the spool. A route that does not store bodies keeps its limit. */
export function boundBodies<R extends { rules: RouteRules; target: { kind: string } }>(
  { limits, routes, spool }: { limits: Limits; routes: readonly R[]; spool: Spool },
  storesBodies: (route: R) => boolean,
): { limits: Limits; routes: R[] } {
  const { totalBodyBytes } = spool
  if (totalBodyBytes === undefined) return { limits, routes: [...routes] }
  const bounded = boundSize(limits.bodySize, totalBodyBytes)
  const own = bounded === limits.bodySize ? undefined : (limits.bodySize ?? '0')
  return {
    limits: { ...limits, bodySize: bounded, spooledSize: sizeOf(totalBodyBytes) },
    routes: routes.map(route => {
      const { bodySize } = route.rules
      if (!storesBodies(route)) return { ...route, rules: { ...route.rules, bodySize: bodySize ?? own } }
      if (bodySize === undefined) return route
      return {
        ...route,
        rules: { ...route.rules, bodySize: boundSize(bodySize === '0' ? undefined : bodySize, totalBodyBytes) },
      }
    }),
  }
}

/** Size in nginx's notation that is at most `bytes`; undefined: unlimited. */
function boundSize(size: string | undefined, bytes: number): string {
  return size !== undefined && bytesOf(size) <= bytes ? size : sizeOf(bytes)
}

function sizeOf(bytes: number): string {
  return `${bytes / mib}m`
}
