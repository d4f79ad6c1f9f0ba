import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { freePorts, home, nginxProcesses, type Workspace, workers } from '../workspace.ts'
import { runCommand } from './command.ts'
import { type CommandResult, NotAvailable, type Stack, type StartOptions, startProgram } from './stack.ts'

interface Instance {
  children: { name: string; pid: number }[]
}

/**
 * `monohull run node server.js` from the bundle of this checkout, or of another one in `root`. All starts share the local
 * certificate.
 */
export function monohullStack(workspace: Workspace, name = 'monohull', root = workspace.package): Stack {
  const stateDir = workspace.makeDirectory('state')
  return {
    name,
    abilities: ['roll', 'scale', 'maxRequests', 'maxMemory', 'timeout', 'stopInOrder'],
    async start({ entry = 'server.js', workers: count = workers, certificates, routes, env, ...settings } = {}) {
      const dir = workspace.makeDirectory('monohull')
      const program = join(root, 'dist/launcher.cjs')
      writeConfig(dir, settings, workspace.image.path)
      if (routes !== undefined) writeFileSync(join(stateDir, 'routes.json'), routes)
      await expectKnown(workspace, program, join(dir, 'app'))
      const [httpPort = 0, httpsPort = 0] = await freePorts(2)
      const childrenNamed = (isWanted: (name: string) => boolean) =>
        readChildren(join(dir, 'run')).flatMap(child => (isWanted(child.name) ? [child.pid] : []))
      const command = (path: string) => postAdmin(join(dir, 'run/admin.sock'), path)
      return startProgram({
        name,
        command: settings.config === undefined ? [program, 'run', 'node', entry] : [program, 'run'],
        cwd: join(dir, 'app'),
        dir,
        env: {
          PATH: workspace.path,
          NODE_ENV: 'production',
          // flags and variables of an app apply to one named app only
          ...(settings.config === undefined && { MONOHULL_HTTPS: 'on', MONOHULL_WORKERS: String(count) }),
          MONOHULL_NGINX_WORKER_PROCESSES: String(nginxProcesses),
          MONOHULL_BIND_ADDRESSES: '127.0.0.1',
          MONOHULL_HTTP_PORT: String(httpPort),
          MONOHULL_HTTPS_PORT: String(httpsPort),
          MONOHULL_RUN_DIR: join(dir, 'run'),
          MONOHULL_STATE_DIR: stateDir,
          MONOHULL_CERT_DIR: certificates ?? join(dir, 'certs'),
          ...env,
        },
        httpPort,
        httpsPort,
        workerPids: () => childrenNamed(name => name.startsWith('app')),
        nginxPid: () => childrenNamed(name => name === 'nginx').at(-1),
        control: () => ({
          roll: () => command('/restart'),
          rollOut: () => command('/reload'),
          scale: wanted => command(`/scale/${wanted}`),
        }),
        async setRelease(release) {
          writeConfig(dir, { ...settings, release }, workspace.image.path)
          return command('/reload')
        },
        countReady: log => log.match(/^\S+Z monohull \w+ worker ready\b/gm)?.length ?? 0,
        entry,
      })
    },
  }
}

/** The same with a monohull.yaml as real apps have one. */
export function withFile(stack: Stack): Stack {
  const config = readFileSync(join(home, 'bench/peers/monohull.yaml'), 'utf8')
  return {
    ...stack,
    name: `${stack.name} with a file`,
    start: ({ workers: count = workers, ...options } = {}) =>
      stack.start({ ...options, config: config.replace(/workers: \d+/, `workers: ${count}`) }),
  }
}

/** The same with as many jobs, none of which is due in the next ten minutes. */
export function withJobs(stack: Stack, count: number): Stack {
  const config = readFileSync(join(home, 'bench/peers/monohull.yaml'), 'utf8')
  return {
    ...stack,
    name: `${stack.name} with ${count} jobs`,
    start({ workers: present = workers, ...options } = {}) {
      const later = new Date(Date.now() + 600_000).getUTCHours() + 1
      const jobs = Array.from({ length: count }, (_, index) => {
        const schedule = `${index % 60} ${(later + (index % 20)) % 24} * * *`
        return `  job-${index}: { schedule: "${schedule}", timezone: UTC, command: [node, server.js, "${index}"] }\n`
      })
      const file = `${config.replace(/workers: \d+/, `workers: ${present}`)}jobs:\n${jobs.join('')}`
      return stack.start({ ...options, config: file })
    },
  }
}

/** Writes keys of the lifecycle and the routes to monohull.yaml; without any, writes no file. */
function writeConfig(dir: string, options: StartOptions & { release?: number }, image: string): void {
  const { maxRequests, maxMemoryMb, timeoutSeconds, trialSeconds, balance, keepalive, servesFiles } = options
  const { listen, release } = options
  const lines = [
    // so that both workers are not recycled at the same time, as in production
    maxRequests && `max_requests: ${maxRequests}\n  max_requests_jitter: ${Math.round(maxRequests / 4)}`,
    maxMemoryMb && `max_memory: ${maxMemoryMb}MB`,
    timeoutSeconds && `timeout: ${timeoutSeconds}s`,
    trialSeconds !== undefined && `min_uptime: ${trialSeconds}s`,
    balance && `balance: ${balance}`,
    keepalive !== undefined && `keepalive: ${keepalive}`,
    listen && `listen: ${listen}`,
    // as in the image, where no program may write to the directories
    servesFiles && process.getuid?.() === 0 && 'user: www-data',
  ].filter(Boolean)
  const parts = [
    lines.length > 0 && `app:\n  ${lines.join('\n  ')}\n`,
    options.accessLog === false && 'access_log: false\n',
    servesFiles &&
      `routes: [{ app: app }, { path: /static, files: { root: public } }, { path: /image, files: { root: ${image} } }]\n`,
    release !== undefined && `headers: { X-Release: "${release}" }\n`,
  ].filter(Boolean)
  const text = options.config ?? parts.join('')
  if (text !== '') writeFileSync(join(dir, 'app/monohull.yaml'), text)
}

/** Throws NotAvailable if this build does not know a key, instead of failing at startup. */
async function expectKnown(workspace: Workspace, program: string, directory: string): Promise<void> {
  if (!existsSync(join(directory, 'monohull.yaml'))) return
  const { detail } = await runCommand(workspace.node, [program, 'check', 'node', 'server.js'], {
    cwd: directory,
    env: {
      PATH: workspace.path,
      MONOHULL_CERT_DIR: join(directory, 'certs'),
      MONOHULL_RUN_DIR: join(directory, 'run'),
    },
  })
  const unknown = [...detail.matchAll(/(\S+): is not a known key/g)].map(([, key]) => key)
  if (unknown.length > 0) throw new NotAvailable(unknown.join(', '))
}

/** Sends a command to the running instance. Settles when it is done, or has failed. */
function postAdmin(socketPath: string, path: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: 'POST', agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve({ isDone: response.statusCode === 200, detail: text }))
    })
    sent.once('error', reject)
    sent.end()
  })
}

function readChildren(runDir: string): Instance['children'] {
  try {
    return (JSON.parse(readFileSync(join(runDir, 'instance.json'), 'utf8')) as Instance).children
  } catch {
    return [] // does not exist yet
  }
}
