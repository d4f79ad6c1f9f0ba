import type { IncomingMessage, ServerResponse } from 'node:http'
import { formatMetrics, type Metric, metricsFormat } from '../../base/metrics.ts'

/** Responds to `GET /metrics`, in the format that the client accepts; 404 for other paths, 405 for other methods. */
export async function respondWithMetrics(
  metrics: () => Promise<Metric[]>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]
  if (path !== '/metrics') return end(response, 404, 'The metrics are at /metrics.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return end(response, 405, 'Use GET.\n')
  }
  const format = metricsFormat(request.headers.accept)
  let text: string
  try {
    text = formatMetrics(await metrics(), format)
  } catch {
    return end(response, 500, 'The metrics cannot be read.\n')
  }
  response.writeHead(200, { 'content-type': format.type, 'cache-control': 'no-store' })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}
