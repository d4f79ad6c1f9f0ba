import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts, nginxProcesses, type Workspace } from '../workspace.ts'
import { cacheDirectory } from './cache.ts'
import { unpackPackages } from './debian-packages.ts'
import { fillTemplate } from './nginx-conf.ts'
import { type Running, startProgram } from './stack.ts'

const pollMs = 20
const readyMs = 20_000

/** Servers that routes lead to, in one nginx process. */
export interface Targets {
  running: Running
  /** Ports, which respond with their name. */
  first: number
  second: number
}

/** Starts the servers. */
export async function startTargets(workspace: Workspace): Promise<Targets> {
  const dir = workspace.makeDirectory('targets')
  const [first = 0, second = 0] = await freePorts(2)
  const running = startNginx(workspace, 'routes-backend.conf', {
    dir,
    httpPort: first,
    values: { FIRST: String(first), SECOND: String(second) },
  })
  return { running, first, second }
}

/** Debian's nginx with Lua, which asks Redis on every request through Debian's lua-nginx-redis. */
export async function startPattern(workspace: Workspace, redis: string): Promise<Running> {
  const root = cacheDirectory('lua-nginx-redis')
  const unpacked = join(root, 'usr/share/lua/5.1')
  if (!existsSync(unpacked)) unpackPackages(root, ['lua-nginx-redis'])
  const dir = workspace.makeDirectory('pattern')
  const lua = join(dir, 'lua')
  // nginx's workers cannot read root's cache
  cpSync(unpacked, lua, { recursive: true })
  const [httpPort = 0] = await freePorts(1)
  return startNginx(workspace, 'routes-redis.conf', {
    dir,
    httpPort,
    values: { HTTP_PORT: String(httpPort), REDIS: redis, LUA: lua, WORKER_PROCESSES: String(nginxProcesses) },
  })
}

function startNginx(
  workspace: Workspace,
  template: string,
  { dir, httpPort, values }: { dir: string; httpPort: number; values: Record<string, string> },
): Running {
  const conf = join(dir, 'nginx.conf')
  const user = process.getuid?.() === 0 ? 'user www-data;' : ''
  writeFileSync(conf, fillTemplate(template, { DIR: dir, USER: user, ...values }))
  return startProgram({
    name: template,
    command: ['nginx', '-e', 'stderr', '-p', '/usr/share/nginx', '-c', conf],
    cwd: dir,
    dir,
    env: { PATH: workspace.path },
    httpPort,
    httpsPort: 0,
    workerPids: () => [],
    nginxPid: pid => pid,
  })
}

/** A Redis server on a unix socket. */
export interface Redis {
  socket: string
  /** Sets keys, all of them before it settles. */
  fill(routes: ReadonlyMap<string, string>): void
  /** Sets one key over a kept connection; settles with the reply. */
  set(key: string, value: string): Promise<void>
  /** Number of times that a command was received. */
  callsOf(command: string): number
  stop(): void
}

/** Starts Debian's Redis without persistence. */
export async function startRedis(workspace: Workspace): Promise<Redis> {
  const dir = workspace.makeDirectory('redis')
  const socket = join(dir, 'redis.sock')
  const args = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '777', '--save', '', '--dir', dir]
  const server = spawn('redis-server', args, { cwd: dir, stdio: 'ignore' })
  const deadline = performance.now() + readyMs
  while (!existsSync(socket)) {
    if (performance.now() > deadline) throw new Error('redis-server does not start')
    await pause(pollMs)
  }
  let client: Socket | undefined
  return {
    socket,
    fill(routes) {
      const input = [...routes].map(([key, value]) => commandOf('SET', key, value)).join('')
      const { status } = spawnSync('redis-cli', ['-s', socket, '--pipe'], {
        input,
        stdio: ['pipe', 'ignore', 'ignore'],
      })
      if (status !== 0) throw new Error('redis-cli --pipe failed')
    },
    async set(key, value) {
      client ??= connect(socket)
      const reply = new Promise<Buffer>(resolve => client?.once('data', resolve))
      client.write(commandOf('SET', key, value))
      const text = String(await reply)
      if (text !== '+OK\r\n') throw new Error(`SET: ${text}`)
    },
    callsOf(command) {
      const { stdout } = spawnSync('redis-cli', ['-s', socket, 'info', 'commandstats'], { encoding: 'utf8' })
      return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stdout)?.[1] ?? 0)
    },
    stop() {
      client?.destroy()
      server.kill('SIGKILL')
    },
  }
}

/** Whether the programs of this measure are installed. */
export function findMissing(): string[] {
  const programs = ['redis-server', 'redis-cli', 'nginx']
  return programs.filter(name => spawnSync('which', [name]).status !== 0)
}

/** Command in the protocol of Redis (RESP). */
function commandOf(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}
