import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { freePorts, home, type Workplace, workers } from '../workplace.ts'
import { cacheFolder } from './cache.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

const version = '7'

/** PM2 in the foreground, as in a container: the app in cluster mode, and nginx. Installed at its first use. */
export function pm2Stack(workplace: Workplace): Stack {
  const prefix = cacheFolder('pm2')
  const runtime = join(prefix, 'node_modules/pm2/bin/pm2-runtime')
  if (!existsSync(runtime)) {
    const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', `pm2@${version}`]
    execFileSync('npm', args, { stdio: 'ignore', timeout: 300_000 })
  }
  return {
    name: 'PM2 cluster',
    async start() {
      const dir = workplace.folder('pm2')
      const [httpPort = 0, httpsPort = 0, appPort = 0] = await freePorts(3)
      return startProgram({
        name: 'PM2 cluster',
        command: [workplace.node, runtime, 'start', join(home, 'bench/peers/ecosystem.config.cjs')],
        cwd: join(dir, 'app'),
        dir,
        env: {
          PATH: workplace.path,
          NODE_ENV: 'production',
          PM2_HOME: join(dir, 'pm2'),
          BENCH_APP: join(dir, 'app'),
          BENCH_WORKERS: String(workers),
          BENCH_PORT: String(appPort),
          BENCH_NGINX_CONF: writeNginxConf(workplace, { dir, httpPort, httpsPort, appPorts: [appPort] }),
          BENCH_LOG: join(dir, 'children.log'),
        },
        httpPort,
        httpsPort,
        workerPids: pid => childrenOf(pid).filter(child => !isNginx(child)),
        nginxPid: pid => childrenOf(pid).find(isNginx),
      })
    },
  }
}

function isNginx(pid: number): boolean {
  return commandOf(pid).includes('nginx')
}
