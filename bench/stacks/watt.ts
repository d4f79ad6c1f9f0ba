import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, home, type Workspace, workers } from '../workspace.ts'
import { cacheDirectory } from './cache.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { createMasterFinder } from './signalled.ts'
import { type Stack, startProgram } from './stack.ts'

const version = '3'

/** Watt, with the app in two of its threads, and nginx beside it. Installed on first use. */
export function wattStack(workspace: Workspace): Stack {
  const prefix = cacheDirectory('watt')
  const program = join(prefix, 'node_modules/wattpm/bin/cli.js')
  if (!existsSync(program)) {
    const packages = [`wattpm@${version}`, `@platformatic/node@${version}`]
    const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', ...packages]
    execFileSync('npm', args, { stdio: 'ignore', timeout: 300_000 })
  }
  return {
    name: 'Watt',
    abilities: [],
    async start() {
      const dir = workspace.makeDirectory('watt')
      const [httpPort = 0, httpsPort = 0, appPort = 0] = await freePorts(3)
      const conf = writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts: [appPort] })
      const settings = {
        $schema: `https://schemas.platformatic.dev/@platformatic/node/${version}.0.0.json`,
        runtime: { workers, server: { hostname: '127.0.0.1', port: appPort } },
      }
      writeFileSync(join(dir, 'app/watt.json'), JSON.stringify(settings))
      const masterOf = createMasterFinder(program)
      return startProgram({
        name: 'Watt',
        command: ['/bin/sh', join(home, 'bench/peers/beside.sh'), conf, workspace.node, program, 'start'],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path, NODE_ENV: 'production', HOME: dir },
        httpPort,
        httpsPort,
        workerPids: () => [],
        // the shell has replaced itself with nginx
        nginxPid: pid => pid,
        supervisorPids: pid => [masterOf(pid) ?? 0],
      })
    },
  }
}
