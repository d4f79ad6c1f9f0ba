import { join } from 'node:path'
import { childrenOf, commandOf, kill } from '../processes.ts'
import { freePorts, home, type Workspace, workers } from '../workspace.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

/**
 * Shell script that starts plain Node processes and nginx with a hand-written configuration, and supervises nothing. `hasFeatures`: nginx
 * does what Monohull does by default, as far as it can.
 */
export function scriptStack(workspace: Workspace, hasFeatures = false): Stack {
  const name = hasFeatures ? 'shell script with features' : 'shell script'
  return {
    name,
    abilities: [],
    async start({ accessLog = true } = {}) {
      const dir = workspace.makeDirectory('script')
      const [httpPort = 0, httpsPort = 0, ...appPorts] = await freePorts(2 + workers)
      const log = accessLog ? {} : { accessLog: 'off' }
      const conf = writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts, hasFeatures, ...log })
      return startProgram({
        name,
        command: ['/bin/sh', join(home, 'bench/peers/serve.sh'), conf, ...appPorts.map(String)],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path, NODE_ENV: 'production' },
        httpPort,
        httpsPort,
        // the shell has replaced itself with nginx
        workerPids: pid => childrenOf(pid).filter(child => commandOf(child).includes('server.js')),
        nginxPid: pid => pid,
        async setRelease(release, pid) {
          writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts, hasFeatures, release })
          kill(pid, 'SIGHUP')
          return { isDone: true, detail: '' }
        },
      })
    },
  }
}
