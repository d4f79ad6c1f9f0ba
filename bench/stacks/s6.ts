import { accessSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { freePorts, type Workspace, workers } from '../workspace.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

const program = '/usr/bin/s6-svscan'

/** Debian's s6: s6-svscan with one service for nginx and one for each process of the app. */
export function s6Stack(workspace: Workspace): Stack {
  accessSync(program)
  return {
    name: 's6',
    abilities: [],
    async start() {
      const dir = workspace.makeDirectory('s6')
      const [httpPort = 0, httpsPort = 0, ...appPorts] = await freePorts(2 + workers)
      const conf = writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts })
      writeService(dir, 'nginx', `exec nginx -e stderr -c ${conf}`)
      for (const port of appPorts) writeService(dir, `app-${port}`, `PORT=${port} exec node server.js`)
      const servicesOf = (pid: number) => childrenOf(pid).flatMap(childrenOf)
      return startProgram({
        name: 's6',
        command: [program, join(dir, 'services')],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path, NODE_ENV: 'production' },
        httpPort,
        httpsPort,
        workerPids: pid => servicesOf(pid).filter(service => commandOf(service).includes('server.js')),
        nginxPid: pid => servicesOf(pid).find(service => commandOf(service).includes('nginx')),
        // each service has an s6-supervise
        supervisorPids: pid => [pid, ...childrenOf(pid)],
      })
    },
  }
}

function writeService(dir: string, name: string, command: string): void {
  const path = join(dir, 'services', name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'run'), `#!/bin/sh\ncd ${dir}/app\n${command}\n`, { mode: 0o755 })
}
