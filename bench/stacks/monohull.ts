import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, nginxProcesses, type Workplace, workers } from '../workplace.ts'
import { type Stack, startProgram } from './stack.ts'

interface Instance {
  children: { name: string; pid: number }[]
}

/** `monohull run node server.js` from the bundle. The self-signed certificate is kept from one start to the next. */
export function monohullStack(workplace: Workplace): Stack {
  const stateDir = workplace.folder('state')
  return {
    name: 'monohull',
    async start() {
      const dir = workplace.folder('monohull')
      const [httpPort = 0, httpsPort = 0] = await freePorts(2)
      const childrenNamed = (isWanted: (name: string) => boolean) =>
        readChildren(join(dir, 'run')).flatMap(child => (isWanted(child.name) ? [child.pid] : []))
      return startProgram({
        name: 'monohull',
        command: [join(workplace.package, 'dist/launcher.cjs'), 'run', 'node', 'server.js'],
        cwd: join(dir, 'app'),
        dir,
        env: {
          PATH: workplace.path,
          NODE_ENV: 'production',
          MONOHULL_HTTPS: 'on',
          MONOHULL_WORKERS: String(workers),
          MONOHULL_NGINX_WORKER_PROCESSES: String(nginxProcesses),
          MONOHULL_BIND_ADDRESSES: '127.0.0.1',
          MONOHULL_HTTP_PORT: String(httpPort),
          MONOHULL_HTTPS_PORT: String(httpsPort),
          MONOHULL_RUN_DIR: join(dir, 'run'),
          MONOHULL_STATE_DIR: stateDir,
          MONOHULL_CERT_DIR: join(dir, 'certs'),
        },
        httpPort,
        httpsPort,
        workerPids: () => childrenNamed(name => name.startsWith('app')),
        nginxPid: () => childrenNamed(name => name === 'nginx').at(-1),
      })
    },
  }
}

function readChildren(runDir: string): Instance['children'] {
  try {
    return (JSON.parse(readFileSync(join(runDir, 'instance.json'), 'utf8')) as Instance).children
  } catch {
    return [] // not yet there
  }
}
