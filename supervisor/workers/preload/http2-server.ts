import type http2 from 'node:http2'
import type net from 'node:net'

/** Whether a server speaks HTTP/2 without TLS. Its class is not exported, and node:http2 is not loaded for apps without it. */
export function isHttp2(server: net.Server): boolean {
  return server.constructor.name === 'Http2Server'
}

/** Sessions of an HTTP/2 server. */
export interface Sessions {
  /**
   * Ends each session with its next stream (GOAWAY), so that nginx uses it for no other call. nginx has one stream at a time in each: this
   * is the only moment at which no other call can be on its way.
   */
  drain(): void
}

/** Follows the sessions of a server from now on. `onStream` is called for each call. */
export function followSessions(server: net.Server, onStream: () => void): Sessions {
  let isDraining = false
  server.prependListener('session', (session: http2.ServerHttp2Session) => {
    session.on('stream', () => {
      onStream()
      if (isDraining && !session.closed) session.close()
    })
  })
  return {
    drain() {
      isDraining = true
    },
  }
}
