import { loadHttp2 } from './h2load.ts'
import { load } from './load.ts'
import { origins, type Running } from './stacks/stack.ts'

/** Paths that every stack serves: a file of the image, the same file on a disk, and the app. */
export const paths = {
  'file of the image': '/image/page.html',
  'file on a disk': '/static/page.html',
  proxied: '/',
} as const

/** Kinds of request. */
export interface RequestKind {
  what: keyof typeof paths
  method: 'GET' | 'POST'
  scheme: 'http' | 'https'
  isHttp2: boolean
}

/** Result of a load. */
export interface RequestResult {
  requests: number
  perSecond: number
  /** Latency in ms; undefined over HTTP/2. */
  p99: number | undefined
  failures: number
}

/** Loads a stack with requests of one kind, by wrk or h2load. */
export async function loadRequests(
  { what, method, scheme, isHttp2 }: RequestKind,
  running: Running,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<RequestResult> {
  const url = `${origins(running)[scheme]}${paths[what]}`
  if (isHttp2) return { ...(await loadHttp2({ url, connections, seconds })), p99: undefined }
  const { dir } = running
  const { status, connect, read, write, timeout, ...result } = await load({ url, method, connections, seconds, dir })
  return { ...result, failures: status + connect + read + write + timeout }
}
