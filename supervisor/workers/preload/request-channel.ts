import { channel } from 'node:diagnostics_channel'
import type http from 'node:http'

/** Message of the channel `monohull.request`. */
export interface RequestMessage {
  /** `X-Request-Id`, as in the access log. */
  id: string | undefined
  /** Trace id of `traceparent`. */
  traceId: string | undefined
  request: http.IncomingMessage
}

const requests = channel('monohull.request')
const events: ReadonlySet<unknown> = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade'])

/**
 * Publishes each request of a server on the diagnostics channel `monohull.request`, and lets the app handle it with the stores bound to
 * the channel: an AsyncLocalStorage then has the id wherever the app logs. Costs nothing while the app uses no such channel.
 */
export function announceRequests(server: http.Server): void {
  const emit = server.emit
  server.emit = function (this: http.Server, event: string, ...values: unknown[]): boolean {
    const handle = () => Reflect.apply(emit, this, [event, ...values])
    if (!requests.hasSubscribers || !events.has(event)) return handle()
    const message = messageOf(values[0] as http.IncomingMessage)
    // Node 18 before 18.19 has no stores
    if (typeof requests.runStores === 'function') return requests.runStores(message, handle) as boolean
    requests.publish(message)
    return handle()
  } as typeof server.emit
}

function messageOf(request: http.IncomingMessage): RequestMessage {
  const { 'x-request-id': id, traceparent } = request.headers
  return { id: id?.toString(), traceId: traceparent?.toString().split('-')[1], request }
}
