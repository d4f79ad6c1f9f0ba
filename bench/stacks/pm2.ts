import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { freePorts, home, type Workspace, workers } from '../workspace.ts'
import { cacheDirectory } from './cache.ts'
import { runCommand } from './command.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

const version = '7'

/** PM2 in the foreground, as in a container: the app in cluster mode, and nginx. Installed on first use. */
export function pm2Stack(workspace: Workspace): Stack {
  const prefix = cacheDirectory('pm2')
  const bin = join(prefix, 'node_modules/pm2/bin')
  const runtime = join(bin, 'pm2-runtime')
  if (!existsSync(runtime)) {
    const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', `pm2@${version}`]
    execFileSync('npm', args, { stdio: 'ignore', timeout: 300_000 })
  }
  return {
    name: 'PM2 cluster',
    abilities: ['roll', 'scale', 'maxMemory', 'stopInOrder'],
    async start({ entry = 'server.js', workers: instances = workers, maxMemoryMb } = {}) {
      const dir = workspace.makeDirectory('pm2')
      const [httpPort = 0, httpsPort = 0, appPort = 0] = await freePorts(3)
      const env = { PATH: workspace.path, NODE_ENV: 'production', PM2_HOME: join(dir, 'pm2') }
      const command = (...words: string[]) =>
        runCommand(workspace.node, [join(bin, 'pm2'), ...words], { cwd: dir, env })
      const reload = () => command('reload', 'app')
      return startProgram({
        name: 'PM2 cluster',
        command: [workspace.node, runtime, 'start', join(home, 'bench/peers/ecosystem.config.cjs')],
        cwd: join(dir, 'app'),
        dir,
        env: {
          ...env,
          // its default is to check every 30 s
          PM2_WORKER_INTERVAL: '2000',
          BENCH_APP: join(dir, 'app'),
          BENCH_ENTRY: entry,
          BENCH_WORKERS: String(instances),
          BENCH_MAX_MEMORY: maxMemoryMb ? `${maxMemoryMb}M` : '',
          BENCH_PORT: String(appPort),
          BENCH_NGINX_CONF: writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts: [appPort] }),
          BENCH_LOG: join(dir, 'children.log'),
        },
        httpPort,
        httpsPort,
        workerPids: pid => childrenOf(pid).filter(child => !isNginx(child)),
        nginxPid: pid => childrenOf(pid).find(isNginx),
        control: () => ({ roll: reload, rollOut: reload, scale: count => command('scale', 'app', String(count)) }),
        entry,
      })
    },
  }
}

function isNginx(pid: number): boolean {
  return commandOf(pid).includes('nginx')
}
