import { join } from 'node:path'
import type { Runtime } from '../base/runtime.ts'
import { openFilesOf } from '../nginx/adapters/processes.ts'
import { openConnectionWatch } from '../nginx/connection-watch.ts'
import { workerRequests } from '../nginx/connections.ts'
import { createSlotSockets } from '../processes/adapters/listeners.ts'
import type { BoundSocket } from '../processes/sockets.ts'
import { statusSocketName } from '../site/compose.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Subject that watches nginx's connections, with the socket on which nginx reports them. nginx inherits it. */
export function openConnections({
  run,
  master,
  ...runtime
}: Pick<Runtime, 'clock' | 'log'> & { run: Run; master(): number | undefined }): Subject & { socket: BoundSocket } {
  const { config, nginxUser } = run.settings()
  const path = join(config.run_dir, statusSocketName)
  const socket = createSlotSockets({ uid: undefined, gid: nginxUser?.gid }).bind(path)
  const watch = openConnectionWatch({
    ...runtime,
    bounds() {
      const { nginxConnections, nginxProcesses } = run.settings()
      return {
        limit: nginxConnections.perWorker * nginxProcesses,
        requests: workerRequests(nginxConnections.perWorker) * nginxProcesses,
      }
    },
    openFiles: () => openFilesOf(master()),
    async read() {
      const { getText } = await import('../base/adapters/unix-http.ts')
      return getText(path, '/')
    },
  })
  return {
    ...watch,
    socket,
    close() {
      watch.close()
      socket.close()
    },
  }
}
