import { callLua } from '../../nginx/text.ts'

/** Paths through which nginx's workers get certificates for names without a server block. */
export interface OnDemand {
  /** Directory of NAME.pem files: the chain, then its key. */
  directory: string
  /** Path of the Unix socket of the supervisor. Once it has responded, the file exists or the name is refused. */
  socket: string
}

/**
 * Directives for a server that clients reach with names its certificates do not cover. nginx serves names that have a file by
 * itself. For any other name it asks the supervisor, and refuses the handshake if there is no certificate. Clients that request no
 * name, or something that is not a host name, get the server's own certificate, as do names that its certificate covers by `wildcard`.
 */
export function renderOnDemand({ directory, socket }: OnDemand, wildcard: string | undefined): string[] {
  return [
    '# clients can request any name: do not log each one while the supervisor is unavailable',
    'lua_socket_log_errors off;',
    callLua('ssl_certificate', 'on_demand.serve', directory, `unix:${socket}`, ...(wildcard ? [wildcard] : [])),
  ]
}
