import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { defer, temporaryFolder, until } from './monohull.ts'

const run = promisify(execFile)

export interface RedisServer {
  /** Value of `dynamic_routes.store`. */
  store: string
  socket: string
  /** Runs a command, and gives what redis-cli prints. */
  cli(...words: string[]): Promise<string>
  pid(): number
  /** Ends it at once; what it does not save is lost. */
  kill(): Promise<void>
  start(...args: string[]): Promise<void>
}

/** Programs of a server that speaks Redis's protocol. */
export interface RedisKind {
  server: string
  cli: string
  /** Words before the server: a program that becomes it. */
  through?: string[]
  /** Password of its default user. */
  password?: string | undefined
}

export const redis: RedisKind = { server: 'redis-server', cli: 'redis-cli' }

/** A Redis server on a unix socket, without any data, that ends with the test. */
export async function startRedis(t: TestContext, ...args: string[]): Promise<RedisServer> {
  return startServer(t, redis, ...args)
}

/** The same, of another kind. */
export async function startServer(t: TestContext, kind: RedisKind, ...args: string[]): Promise<RedisServer> {
  const folder = temporaryFolder(t)
  const socket = join(folder, 'redis.sock')
  let server: ChildProcess | undefined
  const usual = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '777', '--save', '', '--dir', folder]
  const login = kind.password === undefined ? [] : ['-a', kind.password]

  async function cli(...words: string[]): Promise<string> {
    const { stdout } = await run(kind.cli, ['-s', socket, '--no-auth-warning', ...login, ...words], { timeout: 10_000 })
    return stdout.trim()
  }

  async function start(...others: string[]): Promise<void> {
    const [program = '', ...words] = [...(kind.through ?? []), kind.server, ...usual, ...others]
    server = spawn(program, words, { stdio: 'ignore' })
    await until(kind.server, () =>
      cli('ping').then(
        reply => /PONG|NOAUTH/.test(reply),
        () => false,
      ),
    )
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }

  defer(t, kill)
  await start(...args)
  return { store: `unix:${socket}`, socket, cli, kill, start, pid: () => server?.pid ?? 0 }
}
