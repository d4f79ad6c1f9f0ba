import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { kill, processesUsing } from '../processes.ts'

const bootDeadlineMs = 120_000
const stopDeadlineMs = 15_000
const pollMs = 5

/** Ability that a stack may have. */
export type Ability = 'roll' | 'scale' | 'maxRequests' | 'maxMemory' | 'timeout' | 'stopInOrder'

/** Options of a start. Most of them need the ability of the same name. */
export interface StartOptions {
  /** File of bench/app; default: server.js. */
  entry?: string
  /** Default: `workers`. */
  workers?: number
  maxRequests?: number
  maxMemoryMb?: number
  timeoutSeconds?: number
  /** Time that a new worker must live before the next is replaced (min_uptime); other stacks ignore it. */
  trialSeconds?: number
  balance?: 'round_robin'
  /** Idle connections that nginx keeps open to the workers. */
  keepalive?: number
  /** Directory with fullchain.pem and privkey.pem; default: the stack's own certificate. */
  certificates?: string
  /** Whether `public` of the app is served below /static/ and the image below /image/. Hand-written configurations always do this. */
  servesFiles?: boolean
  /** Whether a line is written for each request; default: true. Only for Monohull and the shell script. */
  accessLog?: boolean
  /** How the app listens; other stacks ignore it. Default: `inherit`. */
  listen?: 'port'
  /** The whole monohull.yaml, instead of the settings above. */
  config?: string
  /** Content of the file of dynamic routes; other stacks ignore it. */
  routes?: string
  /** Further variables; other stacks ignore them. */
  env?: Record<string, string>
}

/** Way to run nginx and the app. */
export interface Stack {
  name: string
  /** Abilities in addition to starting and stopping. */
  abilities: readonly Ability[]
  /** Language of its app; default: JavaScript in Node. */
  language?: 'python'
  start(options?: StartOptions): Promise<Running>
}

/** Result of a command. */
export interface CommandResult {
  isDone: boolean
  detail: string
}

/** Control of a stack that can roll or scale. */
export interface Control {
  /** Replaces every worker; settles when the new ones serve. */
  roll(): Promise<CommandResult>
  /** Replaces every worker by one of a new build of the app. */
  rollOut(): Promise<CommandResult>
  scale(workers: number): Promise<CommandResult>
}

/** Error of a stack that does not support a setting; the message names it. */
export class NotAvailable extends Error {}

/** Running stack. */
export interface Running {
  name: string
  /** Pid of the started program: the supervisor, if there is one. */
  pid: number
  /** Time of the start, by performance.now(). */
  startedAt: number
  httpPort: number
  httpsPort: number
  /** Its own directory. */
  dir: string
  /** Pids of the app's processes. */
  workerPids(): number[]
  /** Pids of the processes that supervise; they may run the app as well, in threads. */
  supervisorPids(): number[]
  /** Number of workers that became ready since the start if the stack logs it, else the number of workers. */
  readyWorkers(): number
  nginxPid(): number | undefined
  control?: Control
  /** Changes a header of every response, `X-Release`, and reloads the configuration; settles when the reload has been ordered. */
  setRelease(release: number): Promise<CommandResult>
  /** Path of the file that the workers run. */
  entryPath: string
  /** Everything it has printed. */
  log(): string
  hasEnded(): boolean
  /** Settles with its exit code or signal. */
  ended: Promise<string>
  /** Sends TERM, then KILL to the remaining processes; settles when none is left. */
  stop(): Promise<void>
}

/** Program that runs a stack. */
export interface Program {
  name: string
  command: [string, ...string[]]
  cwd: string
  /** Its own directory, with all its files. */
  dir: string
  env: Record<string, string>
  httpPort: number
  httpsPort: number
  workerPids: (pid: number) => number[]
  nginxPid: (pid: number) => number | undefined
  /** Default: the started program alone. */
  supervisorPids?: (pid: number) => number[]
  control?: (pid: number) => Control
  setRelease?: (release: number, pid: number) => Promise<CommandResult>
  /** Counts workers that became ready, in everything it has printed. */
  countReady?: (log: string) => number
  /** File of bench/app; default: server.js. */
  entry?: string | undefined
}

/** Starts the program in its own process group, with its output in a file. */
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
    supervisorPids: () => program.supervisorPids?.(pid) ?? [pid],
    ...(program.control && { control: program.control(pid) }),
    setRelease: async release =>
      program.setRelease?.(release, pid) ?? { isDone: false, detail: 'its configuration is fixed' },
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

/** Status of a GET over a new connection; undefined if there is no response. */
export function getStatus(url: string): Promise<number | undefined> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return new Promise(resolve => {
    const sent = request(url, { agent: false, rejectUnauthorized: false, timeout: 5000 }, response => {
      response.resume().once('close', () => resolve(response.complete ? response.statusCode : undefined))
    })
    sent.once('timeout', () => sent.destroy())
    sent.once('error', () => resolve(undefined))
    sent.end()
  })
}

/** Sends GETs until the status is 200; settles with the time since the start in ms. */
export async function untilServing(running: Running, url: string): Promise<number> {
  while ((await getStatus(url)) !== 200) {
    if (running.hasEnded() || performance.now() - running.startedAt > bootDeadlineMs) {
      const log = running.log()
      await running.stop()
      throw new Error(`${running.name} does not serve ${url}: ${log}`)
    }
    await pause(pollMs)
  }
  return performance.now() - running.startedAt
}

/** Origins of the HTTP and HTTPS ports. */
export function origins({ httpPort, httpsPort }: Running): { http: string; https: string } {
  return { http: `http://127.0.0.1:${httpPort}`, https: `https://127.0.0.1:${httpsPort}` }
}
