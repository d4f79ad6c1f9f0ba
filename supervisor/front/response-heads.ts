import { nginxSize } from '../base/size.ts'
import { bytesOf } from './cache/cache.ts'

/** Largest response head of an app or upstream, in nginx's notation. */
const usualSize = '64k'
const pieceBytes = 16 * 1024
const minPieces = 8

/**
 * Lines for the http block: what nginx holds of a response in memory, because apps send large heads (cookies in chunks, preloaded links), and
 * the name of a header that would announce trailers, which nginx drops.
 */
export function renderResponseHeads(): string[] {
  return ['# routes', ...renderBuffers(usualSize), 'proxy_hide_header Trailer;']
}

/** Lines for the locations of a route that proxies requests; undefined: the usual size. */
export function renderRouteResponseHeads(size: string | undefined): string[] {
  return size === undefined ? [] : renderBuffers(size)
}

/** nginx requires that the buffers, except for one, hold what it sends at once, and that this is at least the head. */
function renderBuffers(size: string): string[] {
  const bytes = Math.max(pieceBytes, bytesOf(size))
  const pieces = Math.max(minPieces, Math.ceil(bytes / pieceBytes) + 1)
  return [
    `proxy_buffer_size ${size};`,
    `proxy_buffers ${pieces} ${nginxSize(pieceBytes)};`,
    `proxy_busy_buffers_size ${nginxSize(bytes)};`,
  ]
}
