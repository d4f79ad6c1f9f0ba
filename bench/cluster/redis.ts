import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { readFigures } from '../process-figures.ts'
import { freePorts, type Workspace } from '../workspace.ts'

const readyMs = 10_000
const pollMs = 20
/** More than there are simulated replicas. */
const mostClients = 20_000

/** Counts of Redis since its start, and its memory now. */
export interface RedisFigures {
  /** By performance.now(). */
  at: number
  cpuMs: number
  commands: number
  inBytes: number
  outBytes: number
  clients: number
  /** Data and buffers, and resident; in MB of 2^20 bytes. */
  usedMb: number
  rssMb: number
}

/** Redis server on a TCP port of loopback, without persistence. */
export interface ClusterRedis {
  url: string
  version: string
  read(): RedisFigures
  stop(): void
}

/** Starts Debian's Redis. */
export async function startClusterRedis(workspace: Workspace): Promise<ClusterRedis> {
  const [port = 0] = await freePorts(1)
  const cwd = workspace.makeDirectory('redis')
  const options = { bind: '127.0.0.1', port, save: '', maxclients: mostClients, 'tcp-backlog': 4096 }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const server = spawn('redis-server', args, { cwd, stdio: 'ignore' })
  const ask = (...words: string[]) =>
    spawnSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8', timeout: readyMs }).stdout
  const deadline = performance.now() + readyMs
  while (!ask('ping').includes('PONG')) {
    if (performance.now() > deadline) throw new Error('redis-server does not start')
    await pause(pollMs)
  }
  const countOf = (info: string, name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
  return {
    url: `redis://127.0.0.1:${port}`,
    version: /^redis_version:(\S+)/m.exec(ask('info', 'server'))?.[1] ?? '?',
    read() {
      const info = ask('info')
      const { cpuMs, rssMb } = readFigures(server.pid ?? 0)
      return {
        ...{ at: performance.now(), cpuMs, rssMb },
        commands: countOf(info, 'total_commands_processed'),
        inBytes: countOf(info, 'total_net_input_bytes'),
        outBytes: countOf(info, 'total_net_output_bytes'),
        clients: countOf(info, 'connected_clients'),
        usedMb: countOf(info, 'used_memory') / 2 ** 20,
      }
    },
    stop: () => void server.kill('SIGKILL'),
  }
}
