import { join } from 'node:path'
import { childrenOf } from '../processes.ts'
import { freePorts, home, type Workspace, workers } from '../workspace.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { controlBySignals, createMasterFinder } from './signalled.ts'
import { type Stack, startProgram } from './stack.ts'

/** Node's cluster module with a primary of our own, and nginx beside it. */
export function clusterStack(workspace: Workspace): Stack {
  return {
    name: 'Node cluster',
    abilities: ['roll', 'scale'],
    async start({ entry = 'server.js', workers: count = workers } = {}) {
      const dir = workspace.makeDirectory('cluster')
      const [httpPort = 0, httpsPort = 0, appPort = 0] = await freePorts(3)
      const conf = writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts: [appPort] })
      const primary = join(home, 'bench/peers/cluster.cjs')
      const masterOf = createMasterFinder(primary)
      const workersOf = (pid: number) => childrenOf(masterOf(pid) ?? 0)
      return startProgram({
        name: 'Node cluster',
        command: ['/bin/sh', join(home, 'bench/peers/beside.sh'), conf, workspace.node, primary, entry, String(count)],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path, NODE_ENV: 'production', PORT: String(appPort) },
        httpPort,
        httpsPort,
        workerPids: workersOf,
        // the shell has replaced itself with nginx
        nginxPid: pid => pid,
        supervisorPids: pid => [masterOf(pid) ?? 0],
        control: pid =>
          controlBySignals({
            master: () => masterOf(pid),
            workerPids: () => workersOf(pid),
            rollSignal: 'SIGUSR2',
          }),
        entry,
      })
    },
  }
}
