import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { childrenOf } from '../processes.ts'
import { freePorts, home, type Workspace, workers } from '../workspace.ts'
import { writeNginxConf } from './nginx-conf.ts'
import { controlBySignals, createMasterFinder } from './signalled.ts'
import { type Stack, startProgram } from './stack.ts'

const program = '/usr/bin/gunicorn'

/** Debian's Gunicorn with sync workers and app/wsgi.py, and nginx beside it. */
export function gunicornStack(workspace: Workspace): Stack {
  execFileSync(program, ['--version'], { stdio: 'ignore' })
  return {
    name: 'Gunicorn',
    abilities: ['roll', 'scale', 'maxRequests', 'timeout'],
    language: 'python',
    async start({ workers: count = workers, maxRequests, timeoutSeconds } = {}) {
      const dir = workspace.makeDirectory('gunicorn')
      const [httpPort = 0, httpsPort = 0, appPort = 0] = await freePorts(3)
      const conf = writeNginxConf(workspace, { dir, httpPort, httpsPort, appPorts: [appPort] })
      const masterOf = createMasterFinder(program)
      const workersOf = (pid: number) => childrenOf(masterOf(pid) ?? 0)
      const recycling = maxRequests
        ? ['--max-requests', String(maxRequests), '--max-requests-jitter', String(Math.round(maxRequests / 4))]
        : []
      const hanging = timeoutSeconds ? ['--timeout', String(timeoutSeconds)] : []
      const flags = ['--bind', `127.0.0.1:${appPort}`, '--workers', String(count), ...recycling, ...hanging]
      return startProgram({
        name: 'Gunicorn',
        command: ['/bin/sh', join(home, 'bench/peers/beside.sh'), conf, program, ...flags, 'wsgi'],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path, PYTHONDONTWRITEBYTECODE: '1' },
        httpPort,
        httpsPort,
        workerPids: workersOf,
        // the shell has replaced itself with nginx
        nginxPid: pid => pid,
        supervisorPids: pid => [masterOf(pid) ?? 0],
        control: pid =>
          controlBySignals({ master: () => masterOf(pid), workerPids: () => workersOf(pid), rollSignal: 'SIGHUP' }),
        entry: 'wsgi.py',
      })
    },
  }
}
