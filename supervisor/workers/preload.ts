/**
 * Preload of Node workers, which runs before the app (`node --require`). It gives the app's HTTP server the worker's socket,
 * reports readiness while the server listens, and drains on SIGTERM without losing a request. The app needs no change and sees a
 * TCP server. The file imports nothing from the supervisor and runs on Node 18 and later.
 */
import net from 'node:net'
import { contract, hideContract, isWorker, notify } from './preload/contract.ts'
import { dropInformationalResponses } from './preload/informational.ts'
import type { ListenArguments } from './preload/listen-request.ts'
import { passOn } from './preload/passing-on.ts'
import { createPublicServers } from './preload/public-server.ts'
import { freeInspectorPort, prepareHeartbeat, reportLoad, startHeartbeat } from './preload/signs-of-life.ts'
import { interceptTermination } from './preload/termination.ts'

/** Starts the signs of life, of which a wrapper gives none while its child is the worker. */
function signsOfLife(): { start(): void; stop(): void } {
  let stops: (() => void)[] = []
  return {
    start() {
      if (stops.length > 0) return
      if (contract.heartbeatMs > 0) stops.push(startHeartbeat())
      if (contract.loadIntervalMs > 0) stops.push(reportLoad())
    },
    stop() {
      for (const stop of stops) stop()
      stops = []
    },
  }
}

if (isWorker()) {
  hideContract()
  notify('STATUS=booting')
  notify(`NODE_PID=${process.pid}`)
  freeInspectorPort()
  if (contract.heartbeatMs > 0) prepareHeartbeat()
  const signs = signsOfLife()
  signs.start()
  if (contract.requestLimit > 0) notify(`REQUEST_LIMIT=${contract.requestLimit}`)
  const servers = createPublicServers(signs.start)
  net.Server.prototype.listen = function (this: net.Server, ...args: ListenArguments) {
    dropInformationalResponses()
    return servers.listen(this, args)
  } as typeof net.Server.prototype.listen
  const termination = interceptTermination(() => {
    const serving = servers.current()
    servers.end()
    return serving
  })
  passOn({
    isServing: () => servers.current() !== undefined,
    onPassed() {
      signs.stop()
      notify('STATUS=passed on')
      return signs.start
    },
    whileBlocked(run) {
      signs.stop()
      notify('STATUS=passed on')
      termination.pause()
      try {
        return run()
      } finally {
        termination.resume()
        signs.start()
      }
    },
  })
}
