import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { freePorts, type Workspace, workers } from '../workspace.ts'
import { cacheDirectory } from './cache.ts'
import { unpackPackages } from './debian-packages.ts'
import { fillTemplate, writeNginxConf } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

const packages = ['supervisor', 'python3-pkg-resources']

/** Debian's supervisord, unpacked on first use and not installed, because installing would start it. */
export function supervisordStack(workspace: Workspace): Stack {
  const root = cacheDirectory('supervisord')
  const program = join(root, 'usr/bin/supervisord')
  if (!existsSync(program)) unpack(root)
  return {
    name: 'supervisord',
    abilities: [],
    async start() {
      const dir = workspace.makeDirectory('supervisord')
      const [httpPort = 0, httpsPort = 0, ...appPorts] = await freePorts(2 + workers)
      writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts })
      const conf = join(dir, 'supervisord.conf')
      const values = { DIR: dir, APP: join(dir, 'app'), PORTS: appPorts.join(' '), WORKERS: String(workers) }
      writeFileSync(conf, fillTemplate('supervisord.conf', values))
      return startProgram({
        name: 'supervisord',
        command: ['/usr/bin/python3', program, '--configuration', conf],
        cwd: join(dir, 'app'),
        dir,
        env: {
          PATH: workspace.path,
          NODE_ENV: 'production',
          PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
        },
        httpPort,
        httpsPort,
        workerPids: pid => childrenOf(pid).filter(child => commandOf(child).includes('server.js')),
        nginxPid: pid => childrenOf(pid).find(child => commandOf(child).includes('nginx')),
      })
    },
  }
}

function unpack(root: string): void {
  unpackPackages(root, packages)
  execFileSync('/usr/bin/python3', [join(root, 'usr/bin/supervisord'), '--version'], {
    env: { PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') },
    stdio: 'ignore',
  })
}
