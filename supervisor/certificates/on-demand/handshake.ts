import { callLua } from '../../nginx/text.ts'

/** Where nginx's workers find certificates for names that no server is for. */
export interface OnDemand {
  /** Folder with NAME.pem: the chain, then its key. */
  folder: string
  /** Path of the unix socket at which one is asked for: once it has answered, the file is there or not to be had. */
  socket: string
}

/**
 * For a server whose certificates may not be for the name that the client asks for. Names that have a file are served without
 * a question; for the first handshake of another the supervisor is asked, and without a certificate it is refused. Clients
 * that ask for no name, or for what is no host name, get the server's own certificate.
 */
export function renderOnDemand({ folder, socket }: OnDemand): string[] {
  return [
    '# anybody may ask for any name: no line for each while the supervisor is away',
    'lua_socket_log_errors off;',
    callLua('ssl_certificate', 'on_demand.serve', folder, `unix:${socket}`),
  ]
}
