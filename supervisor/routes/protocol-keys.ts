import type { Protocol } from '../nginx/protocol.ts'
import type { ProxiedTarget } from './route.ts'
import type { RouteSettings } from './setting-keys.ts'

interface ProtocolRoute {
  target: ProxiedTarget
  settings: Pick<RouteSettings, 'cache'>
}

/** Keys of routes that depend on the protocol, and whether a route sets them. */
const keys = {
  strip_prefix: ({ target }: ProtocolRoute) => target.stripsPrefix,
  rewrite: ({ target }: ProtocolRoute) => target.rewrite !== undefined,
  request_buffering: ({ target }: ProtocolRoute) => !target.spool.storesBodies,
  response_buffering: ({ target }: ProtocolRoute) => target.buffering !== undefined,
  cache: ({ settings: { cache } }: ProtocolRoute) => cache !== undefined && cache !== 'off',
}

/** Keys without a meaning in a protocol. The path of a call is its name, and its messages are passed on as they come. */
const unsupported: Record<Protocol, readonly (keyof typeof keys)[]> = {
  http: [],
  fastcgi: ['strip_prefix', 'rewrite', 'cache'],
  grpc: ['strip_prefix', 'rewrite', 'request_buffering', 'response_buffering', 'cache'],
  uwsgi: ['strip_prefix', 'rewrite', 'cache'],
}

/** Keys of a route that its target's protocol does not support. */
export function unsupportedKeys(protocol: Protocol, route: ProtocolRoute): string[] {
  return unsupported[protocol].filter(key => keys[key](route))
}
