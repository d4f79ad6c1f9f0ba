import { constants } from 'node:os'
import { type Clock, pause } from '../../supervisor/base/clock.ts'
import { OperatorError } from '../../supervisor/base/errors.ts'
import { generationIn } from '../../supervisor/nginx/generation.ts'
import type { ProcessView } from '../../supervisor/nginx/master.ts'
import type { NginxFiles } from '../../supervisor/nginx/service.ts'
import type { Child, Spawn } from '../../supervisor/processes/child.ts'
import type { Exit } from '../../supervisor/processes/exit.ts'
import type { Random } from './random.ts'

/** A configuration that its own test rejects, or that only the master refuses, when it loads it. */
export type Defect = 'rejected' | 'refused'

/** Simulated nginx worker. */
interface Worker {
  pid: number
  group: number
  generation: number
  isDraining: boolean
}

/** Simulated nginx with its files, whose calls fail while `failing` names a probability. */
export interface NginxMachine {
  failing: number
  spawn: Spawn
  files: NginxFiles
  processes: ProcessView
  askGeneration(): Promise<number | undefined>
  /** Text of the configuration in use. */
  currentText(): string | undefined
  /** Texts of the configurations that accepting workers run. */
  acceptedTexts(): string[]
  masters(): { pid: number; kill(): void }[]
  workers(): Worker[]
  killWorker(pid: number): void
}

/** Options of a simulated nginx. */
export interface NginxMachineOptions {
  clock: Clock
  random: Random
  defectOf(text: string): Defect | undefined
  violate(what: string): void
  trace(event: string): void
}

const workersPerMaster = 2
const killed: Exit = { kind: 'signal', signal: 'SIGKILL', number: constants.signals.SIGKILL }

/** Machine on which no nginx runs yet. */
export function createNginxMachine({ clock, random, defectOf, violate, trace }: NginxMachineOptions): NginxMachine {
  const texts = new Map<string, string>()
  const masters = new Map<number, { isHandling: boolean; signal(name: NodeJS.Signals): boolean; kill(): void }>()
  const workers = new Map<number, Worker>()
  const canSee = random.chance(0.8)
  let current: string | undefined
  let generations = 0
  let pids = 1000

  function mayFail(code: string, call: string): void {
    if (random.chance(machine.failing))
      throw new OperatorError(`cannot ${call}: ${code}`, { fix: 'none, this is a simulation' })
  }

  const groupOf = (group: number) => [...workers.values()].filter(worker => worker.group === group)

  function drain(worker: Worker, longestMs: number): void {
    worker.isDraining = true
    clock.after(random.between(0, longestMs), () => workers.delete(worker.pid))
  }

  function startWorkers(group: number, generation: number): void {
    for (let count = 0; count < workersPerMaster; count++) {
      const pid = pids++
      workers.set(pid, { pid, group, generation, isDraining: false })
    }
  }

  const machine: NginxMachine = {
    failing: 0,
    spawn() {
      mayFail('EAGAIN', 'start nginx')
      const pid = pids++
      const exited = Promise.withResolvers<Exit>()
      let isAlive = true
      let isStopping = false

      function exit(how: Exit): void {
        if (!isAlive) return
        isAlive = false
        masters.delete(pid)
        trace(`nginx ${pid} exited`)
        exited.resolve(how)
      }

      function load(): void {
        if (!isAlive || isStopping) return
        const text = current === undefined ? undefined : texts.get(current)
        master.isHandling = false
        if (current === undefined || text === undefined || defectOf(text) !== undefined) {
          if (groupOf(pid).length === 0) exit({ kind: 'code', code: 1 })
          return
        }
        const old = groupOf(pid).filter(worker => !worker.isDraining)
        startWorkers(pid, generationIn(current))
        for (const worker of old) clock.after(random.between(0, 100), () => drain(worker, 4000))
      }

      /** Exits when its last worker has. */
      function finish(): void {
        if (groupOf(pid).length > 0) clock.after(5, finish)
        else exit({ kind: 'code', code: 0 })
      }

      function signal(name: NodeJS.Signals): boolean {
        if (!isAlive) return false
        if (name === 'SIGKILL') exit(killed)
        if (name === 'SIGHUP') {
          master.isHandling = true
          clock.after(random.between(0, 300), load)
        }
        if (name === 'SIGQUIT' || name === 'SIGTERM') {
          isStopping = true
          for (const worker of groupOf(pid)) drain(worker, name === 'SIGQUIT' ? 4000 : 20)
          finish()
        }
        return true
      }

      const master = { isHandling: true, signal, kill: () => exit(killed) }
      masters.set(pid, master)
      trace(`nginx ${pid} started`)
      clock.after(random.between(0, 300), load)
      const child: Child = {
        pid,
        exited: exited.promise,
        signal,
        signalGroup(name) {
          const members = groupOf(pid)
          if (!isAlive && members.length === 0) return false
          for (const worker of members) {
            if (name === 'SIGKILL') workers.delete(worker.pid)
            if (name === 'SIGQUIT' || name === 'SIGTERM') drain(worker, name === 'SIGQUIT' ? 4000 : 20)
          }
          signal(name)
          return true
        },
        groupAlive: () => isAlive || groupOf(pid).length > 0,
        lastLines: () => [],
        outputEnded: async () => {},
        onNotify() {},
      }
      return child
    },
    files: {
      currentDirectory: '/run/nginx/current',
      stage(rendered) {
        mayFail('ENOSPC', 'write the configuration')
        const directory = `/run/nginx/${++generations}`
        texts.set(directory, [...rendered.values()].join())
        return directory
      },
      async test(directory, _descriptors, signal) {
        mayFail('EMFILE', 'test the configuration')
        await pause(clock, random.between(0, 300))
        const text = texts.get(directory === machine.files.currentDirectory ? (current ?? '') : directory)
        if (text === undefined) violate(`nginx tests ${directory}, which is gone`)
        if (signal?.aborted || text === undefined || defectOf(text) === 'rejected') return { ok: false, output: ['no'] }
        return { ok: true, warnings: [], text }
      },
      promote(directory) {
        mayFail('ENOSPC', 'change the link')
        if (!texts.has(directory)) violate(`${directory} is put into use, and is gone`)
        const previous = current
        current = directory
        return previous
      },
      discard(directory) {
        if (directory === current) violate(`${directory} is in use and discarded`)
        texts.delete(directory)
      },
    },
    processes: {
      childrenOf: pid => (masters.has(pid) ? groupOf(pid).map(worker => worker.pid) : []),
      isNginxDraining: pid => workers.get(pid)?.isDraining ?? true,
      isHandlingSignal: pid => (canSee ? (masters.get(pid)?.isHandling ?? false) : undefined),
      isGroupDraining: group => groupOf(group).every(worker => worker.isDraining),
      wakeUpsOf: () => random.between(0, 3),
      endWorker: pid => void workers.delete(pid),
    },
    async askGeneration() {
      await pause(clock, random.between(0, 20))
      const accepting = [...workers.values()].filter(worker => !worker.isDraining)
      if (accepting.length === 0 || random.chance(machine.failing)) return undefined
      return random.pick(accepting).generation
    },
    currentText: () => texts.get(current ?? ''),
    acceptedTexts: () =>
      [...workers.values()]
        .filter(worker => !worker.isDraining)
        .map(({ generation }) => texts.get(`/run/nginx/${generation}`) ?? `generation ${generation}, which is gone`),
    masters: () => [...masters].map(([pid, { kill }]) => ({ pid, kill })),
    workers: () => [...workers.values()],
    killWorker(pid) {
      const worker = workers.get(pid)
      workers.delete(pid)
      if (!worker || worker.isDraining) return
      clock.after(1, () => {
        if (!masters.has(worker.group)) return
        const next = pids++
        workers.set(next, { ...worker, pid: next })
      })
    },
  }
  return machine
}
