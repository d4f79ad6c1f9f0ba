import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { kill, processesUsing } from '../processes.ts'

const bootDeadlineMs = 30_000
const stopDeadlineMs = 15_000
const pollMs = 5

/** What a stack may have a way for. */
export type Ability = 'roll' | 'scale' | 'maxRequests' | 'maxMemory' | 'timeout' | 'stopInOrder'

/** How a stack is started, where it is not as it comes. */
export interface StartOptions {
  /** Which file of bench/app; default: server.js. */
  entry?: string
  /** Default: `workers`. */
  workers?: number
  /** Needs the ability of that name. */
  maxRequests?: number
  maxMemoryMb?: number
  timeoutSeconds?: number
  /** How long a new worker has to live before the next is replaced; stacks without such a trial have none. */
  trialSeconds?: number
  balance?: 'round_robin'
  /** Idle connections that nginx keeps to the workers. */
  keepalive?: number
  /** Folder with fullchain.pem and privkey.pem; default: what the stack has by itself. */
  certificates?: string
  /** The folder `public` of the app is served below /static/, that of the image below /image/; stacks with hand-written configurations always do. */
  servesFiles?: boolean
}

/** One way of running nginx and the app. */
export interface Stack {
  name: string
  /** What it can do; without any, what every stack can. */
  abilities: readonly Ability[]
  /** The language of its app; default: Node. */
  language?: 'python'
  start(options?: StartOptions): Promise<Running>
}

/** How something commanded has ended. */
export interface CommandResult {
  isDone: boolean
  detail: string
}

/** Of a stack that can roll or scale. */
export interface Control {
  /** Replaces every worker; settles when the new ones serve. */
  roll(): Promise<CommandResult>
  /** The same, for a new build of the app. */
  rollOut(): Promise<CommandResult>
  scale(workers: number): Promise<CommandResult>
}

/** A stack does not know a setting. The message says which. */
export class NotAvailable extends Error {}

export interface Running {
  name: string
  /** What was started: the supervisor, where there is one. */
  pid: number
  /** When it was started, by performance.now(). */
  startedAt: number
  httpPort: number
  httpsPort: number
  /** Its own folder. */
  dir: string
  /** The app's processes. */
  workerPids(): number[]
  /** How many have come up since the start, as far as the stack tells; else how many there are. */
  readyWorkers(): number
  nginxPid(): number | undefined
  control?: Control
  /** The file that the workers run. */
  entryPath: string
  /** All it has printed. */
  log(): string
  hasEnded(): boolean
  /** Settles with its exit code or signal. */
  ended: Promise<string>
  /** TERM, and KILL for what is left; settles when nothing of it runs. */
  stop(): Promise<void>
}

export interface Program {
  name: string
  command: [string, ...string[]]
  cwd: string
  /** Its own folder, in which it has all its files. */
  dir: string
  env: Record<string, string>
  httpPort: number
  httpsPort: number
  workerPids: (pid: number) => number[]
  nginxPid: (pid: number) => number | undefined
  control?: (pid: number) => Control
  /** Of all it has printed. */
  countReady?: (log: string) => number
  /** Default: server.js. */
  entry?: string | undefined
}

/** Starts the program in a process group of its own, with its output in a file. */
export function startProgram(program: Program): Running {
  const { name, command, cwd, dir, env, httpPort, httpsPort } = program
  const logPath = `${dir}/output.log`
  const log = openSync(logPath, 'a')
  const [file, ...args] = command
  const startedAt = performance.now()
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  let isEnded = false
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? String(code)))
  }).finally(() => {
    isEnded = true
  })
  const pid = child.pid ?? 0
  const readLog = () => readFileSync(logPath, 'utf8')
  return {
    name,
    pid,
    startedAt,
    httpPort,
    httpsPort,
    dir,
    workerPids: () => program.workerPids(pid),
    nginxPid: () => program.nginxPid(pid),
    ...(program.control && { control: program.control(pid) }),
    entryPath: `${cwd}/${program.entry ?? 'server.js'}`,
    readyWorkers: () => program.countReady?.(readLog()) ?? program.workerPids(pid).length,
    log: readLog,
    hasEnded: () => isEnded,
    ended,
    async stop() {
      if (!isEnded) kill(pid, 'SIGTERM')
      await Promise.race([ended, pause(stopDeadlineMs, undefined, { ref: false })])
      for (let left = processesUsing(dir); left.length > 0; left = processesUsing(dir)) {
        for (const process of left) kill(process, 'SIGKILL')
        await pause(pollMs)
      }
    },
  }
}

/** Asks over a new connection; undefined when there is no answer. */
export function askOnce(url: string): Promise<number | undefined> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return new Promise(resolve => {
    const asked = request(url, { agent: false, rejectUnauthorized: false, timeout: 5000 }, response => {
      response.resume().once('close', () => resolve(response.complete ? response.statusCode : undefined))
    })
    asked.once('timeout', () => asked.destroy())
    asked.once('error', () => resolve(undefined))
    asked.end()
  })
}

/** Asks until the answer is 200; settles with the time since the start in ms. */
export async function untilServing(running: Running, url: string): Promise<number> {
  while ((await askOnce(url)) !== 200) {
    if (running.hasEnded() || performance.now() - running.startedAt > bootDeadlineMs) {
      const log = running.log()
      await running.stop()
      throw new Error(`${running.name} does not serve ${url}: ${log}`)
    }
    await pause(pollMs)
  }
  return performance.now() - running.startedAt
}

/** Origins of its two front ports. */
export function origins({ httpPort, httpsPort }: Running): { http: string; https: string } {
  return { http: `http://127.0.0.1:${httpPort}`, https: `https://127.0.0.1:${httpsPort}` }
}
