import type http from 'node:http'

/** Responds to `OPTIONS *`, which only Monohull's probes send, so that the app need not know it: Next.js logs an error. */
export function answerProbes(server: http.Server): void {
  const emit = server.emit as (this: http.Server, event: string | symbol, ...args: unknown[]) => boolean
  server.emit = function (this: http.Server, event: string | symbol, ...args: unknown[]) {
    const [request, response] = args as [http.IncomingMessage, http.ServerResponse]
    if (event !== 'request' || request.url !== '*') return emit.call(this, event, ...args)
    response.writeHead(204).end()
    return true
  }
}
