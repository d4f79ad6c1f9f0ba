import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { groupMembers } from '../../supervisor/processes/adapters/procfs.ts'
import { type InstanceRecord, readInstance } from '../../supervisor/run/adapters/instance.ts'
import { launcher } from './built.ts'
import { startedAfter } from './next-worker.ts'

/** The project. */
export const home = join(import.meta.dirname, '../..')
const fixtures = join(home, 'test/fixtures/apps')
const pollMs = 25
const defaultDeadlineMs = 40_000

/** Why a test that switches users is skipped, if it is; on CI that would be a failure. */
export const needsRoot = process.getuid?.() !== 0 && !process.env.CI && 'only root can switch users'

/** Path of a fixture program. */
export const fixture = (name: string) => join(fixtures, name)

/** Settles when `probe` gives something; fails with `what` and the details after the deadline. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: { deadlineMs?: number; details?: () => string } = {},
): Promise<T> {
  const deadline = Date.now() + (options.deadlineMs ?? defaultDeadlineMs)
  for (;;) {
    const result = await probe()
    if (result !== undefined && result !== false) return result
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}\n${options.details?.() ?? ''}`)
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

const cleanups = new WeakMap<TestContext, (() => unknown)[]>()

/** Runs `cleanup` after the test, the last one first: what was made last is ended first. */
export function defer(t: TestContext, cleanup: () => unknown): void {
  const present = cleanups.get(t)
  if (present) {
    present.push(cleanup)
    return
  }
  const stack = [cleanup]
  cleanups.set(t, stack)
  t.after(async () => {
    const failures: unknown[] = []
    for (const next of stack.reverse()) {
      try {
        await next()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  })
}

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

export interface RequestOptions {
  path?: string
  method?: string
  headers?: http.OutgoingHttpHeaders
  body?: string
  scheme?: 'http' | 'https'
  agent?: http.Agent
  /** Address on loopback that the request comes from. */
  from?: string
}

export interface Monohull {
  folder: string
  process: ChildProcess
  /** Everything it printed, both streams. */
  output(): string
  /** Settles with the match when the output holds it, from `from` (a length of earlier output) on. */
  seen(pattern: RegExp, from?: number): Promise<RegExpExecArray>
  serving(): Promise<InstanceRecord>
  instance(): InstanceRecord
  request(options?: RequestOptions): Promise<Answer>
  /** Pid of the worker in a slot now. */
  worker(slot: number): number
  /** Settles with the pid of a worker that was started in a slot after that one. */
  workerAfter(slot: number, before: number): Promise<number>
  nginx(): number
  signal(signal: NodeJS.Signals): void
  exited: Promise<number>
}

export interface StartOptions {
  args?: string[]
  /** Over the isolated environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>
  files?: Record<string, string>
  /** An existing folder, to start again in it. */
  folder?: string
  /** Words before its command: a program that becomes it. */
  through?: string[]
  /** Program in place of Node with the bundle. */
  entry?: string[]
  /** Where it prints to, when that is not output.log opened for appending. */
  descriptor?: number
}

/** A temporary folder with files in it, removed after the test. */
export function temporaryFolder(t: TestContext, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-test-'))
  chmodSync(folder, 0o755)
  defer(t, () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** The environment that keeps an instance to itself: free ports on loopback, folders of its own. */
export function isolatedEnv(folder: string): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    MONOHULL_BIND_ADDRESSES: '127.0.0.1',
    MONOHULL_HTTP_PORT: '0',
    MONOHULL_HTTPS_PORT: '0',
    MONOHULL_WORKERS: '2',
    MONOHULL_RUN_DIR: join(folder, 'run'),
    MONOHULL_STATE_DIR: join(folder, 'state'),
    MONOHULL_CERT_DIR: join(folder, 'certs'),
    MONOHULL_DIRECTORY: folder,
  }
}

/** In every log format. */
const servingLine = /\bserving http[=:]|"message":"serving"/

/** Settles when so many workers of the default app are ready. With `serving`, it may be only the first one. */
export async function allReady(monohull: Pick<Monohull, 'serving' | 'seen'>, count: number): Promise<void> {
  await monohull.serving()
  for (let slot = 1; slot <= count; slot++) await monohull.seen(new RegExp(`worker ready worker=app\\.${slot} `))
}

/** Starts the bundle, as the image does, and ends with the test; a process that outlives it fails the test. */
export function startMonohull(t: TestContext, options: StartOptions = {}): Monohull {
  const folder = options.folder ?? temporaryFolder(t, options.files)
  const log = join(folder, 'output.log')
  const descriptor = openSync(log, 'a')
  const words = [...(options.entry ?? [process.execPath, launcher]), ...(options.args ?? ['run'])]
  const [program = '', ...args] = [...(options.through ?? []), ...words]
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...isolatedEnv(folder), ...options.env },
    stdio: ['ignore', options.descriptor ?? descriptor, options.descriptor ?? descriptor],
  })
  closeSync(descriptor)
  const exited = new Promise<number>(resolve => {
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 255)))
  })
  const runDir = options.env?.MONOHULL_RUN_DIR ?? join(folder, 'run')
  const output = () => readFileSync(log, 'utf8')
  const details = () => output().slice(-4000)
  const children: InstanceRecord['children'] = []
  const instance = () => {
    const record = readInstance(runDir)
    if (!record) throw new Error(`no instance\n${details()}`)
    if (record.supervisor.pid === child.pid) children.push(...record.children)
    return record
  }

  defer(t, async () => {
    const last = readInstance(runDir)
    if (last && last.supervisor.pid === child.pid) children.push(...last.children)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGCONT')
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    const timer = setTimeout(() => child.kill('SIGKILL'), 8000)
    await exited
    clearTimeout(timer)
    // the same child stands in many records, and each look reads all of /proc
    const distinct = [...new Map(children.map(one => [`${one.pid} ${one.startTime}`, one])).values()]
    const survivors = distinct.flatMap(({ pid, startTime }) =>
      groupMembers(pid).filter(member => member.startTime >= startTime),
    )
    for (const { pid } of survivors) process.kill(pid, 'SIGKILL')
    if (survivors.length > 0)
      throw new Error(
        `processes outlived monohull: ${survivors.map(stat => `${stat.command}[${stat.pid}]`).join(', ')}\n${details()}`,
      )
  })

  return {
    folder,
    process: child,
    output,
    exited,
    instance,
    seen: (pattern, from = 0) =>
      until(String(pattern), () => pattern.exec(output().slice(from)) ?? undefined, { details }),
    serving: () =>
      until(
        'monohull to serve',
        () => {
          if (child.exitCode !== null) throw new Error(`monohull ended with ${child.exitCode}\n${details()}`)
          const record = readInstance(runDir)
          const isServing = record?.isServing && record.supervisor.pid === child.pid
          // its lines are written without waiting for them
          return isServing && servingLine.test(output()) ? instance() : undefined
        },
        { details },
      ),
    request(asked = {}) {
      const { httpPort, httpsPort } = instance()
      const isPlain = asked.scheme === 'http'
      return ask(isPlain ? httpPort : (httpsPort ?? httpPort), {
        ...asked,
        scheme: isPlain || httpsPort === undefined ? 'http' : 'https',
      })
    },
    worker(slot) {
      const found = instance().children.findLast(process => process.name === `app.${slot}`)
      if (!found) throw new Error(`no worker in slot ${slot}`)
      return found.pid
    },
    workerAfter: (slot, before) =>
      until(
        `another worker in slot ${slot}`,
        () => startedAfter({ last: instance().children, seen: children }, `app.${slot}`, before),
        { details },
      ),
    nginx() {
      const found = instance().children.findLast(process => process.name === 'nginx')
      if (!found) throw new Error('no nginx')
      return found.pid
    },
    signal: signal => {
      child.kill(signal)
    },
  }
}

/** One request to a port on loopback, with a connection of its own. */
export function ask(
  port: number | undefined,
  { path = '/', method = 'GET', headers = {}, body, scheme = 'http', agent, from }: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = scheme === 'https' ? https.request : http.request
    const request = send(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        agent: agent ?? false,
        ...(from ? { localAddress: from } : {}),
        rejectUnauthorized: false,
        timeout: defaultDeadlineMs,
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
        response.on('error', reject)
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.end(body)
  })
}
