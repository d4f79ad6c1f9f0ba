import type { TcpServer } from '../base/adapters/tcp-server.ts'
import { formatAddress } from '../base/address.ts'
import type { Log } from '../base/log.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Listener for Prometheus under `metrics.port`; none without it. Its code is loaded when it is needed. */
export async function openMetricsPort(run: Pick<Run, 'settings' | 'metrics'>, log: Log): Promise<Subject> {
  let server = await listen(run.settings().config.metrics)

  async function listen({ bind, port }: { bind: string; port?: number | undefined }): Promise<TcpServer | undefined> {
    if (port === undefined) return undefined
    const { listenOnTcp } = await import('../base/adapters/tcp-server.ts')
    const opened = await listenOnTcp({ key: 'metrics', bind, port }, async (request, response) => {
      const { respondWithMetrics } = await import('./adapters/metrics-responder.ts')
      await respondWithMetrics(run.metrics, request, response)
    })
    log.info('metrics', { url: `http://${opened.address}/metrics` })
    return opened
  }

  return {
    name: 'metrics port',
    fixed({ config: { metrics: next } }) {
      const { metrics } = run.settings().config
      return metrics.bind !== next.bind && metrics.port === next.port && next.port !== undefined
        ? `metrics.bind of the port ${formatAddress(metrics.bind, next.port)} cannot change without a restart`
        : undefined
    },
    async prepare({ config: { metrics: next } }) {
      const { metrics } = run.settings().config
      if (metrics.bind === next.bind && metrics.port === next.port) return undefined
      const [former, opened] = [server, await listen(next)]
      return {
        revert: () => opened?.close(),
        async commit() {
          server = opened
          await former?.close()
        },
      }
    },
    close: () => server?.close(),
  }
}
