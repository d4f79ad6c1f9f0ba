import { pause } from '../../supervisor/base/clock.ts'
import { createLog } from '../../supervisor/base/log.ts'
import type { Outcome } from '../../supervisor/base/outcome.ts'
import { createRotation } from '../../supervisor/nginx/rotation.ts'
import { createNginx } from '../../supervisor/nginx/service.ts'
import { createOomWatch } from '../../supervisor/processes/oom-watch.ts'
import { createStartOrder } from '../../supervisor/processes/start-order.ts'
import type { HookRunner } from '../../supervisor/programs/hook-runner.ts'
import { openProcesses } from '../../supervisor/programs/processes.ts'
import type { Command } from '../../supervisor/run/command.ts'
import { createCommandQueue } from '../../supervisor/run/command-queue.ts'
import { type CommandDeps, runCommand } from '../../supervisor/run/command-runner.ts'
import { createRun } from '../../supervisor/run/run.ts'
import { createRunningNginx, type RunningNginx } from '../../supervisor/run/running-nginx.ts'
import { type StopReason, stop } from '../../supervisor/run/stop.ts'
import type { Settings } from '../../supervisor/site/settings.ts'
import { createApps } from '../../supervisor/workers/apps.ts'
import { createNginxMachine, type Defect, type NginxMachine } from './nginx-machine.ts'
import { fateOf } from './programs.ts'
import type { Random } from './random.ts'
import { rendering } from './site.ts'
import { createSystem, type SimulatedSystem } from './system.ts'
import type { Time } from './time.ts'

/** A whole run on a simulated machine: apps, background processes and nginx under one queue of commands. */
export interface WholeRun {
  system: SimulatedSystem
  nginx: NginxMachine
  /** The settings in force. */
  settings(): Settings
  /** What the program of each worker and process is by plan: `web good v3`. */
  plans(): string[]
  /** Settles with whether the apps have started. */
  start(): Promise<boolean>
  send(command: Command): Promise<Outcome>
  /** Settles when a stop has been asked for and is over. */
  readonly stopped: Promise<void>
  /** Stops it in a hurry, as after a start that failed. */
  giveUp(): void
}

/** Options of a whole run. */
export interface WholeRunOptions {
  time: Time
  random: Random
  initial: Settings
  /** Reads the configuration for a reload; undefined: it is invalid. */
  next(): Settings | undefined
  /** Whether programs have no faults. */
  isCalm(): boolean
  violate(what: string): void
  trace(event: string): void
  /** Receives the lines of the log. */
  write(line: string): void
}

/** Run that is not started yet. */
export async function createWholeRun(options: WholeRunOptions): Promise<WholeRun> {
  const { random, violate, trace, isCalm } = options
  const { clock } = options.time
  const system = createSystem({ clock, random, fateOf: spec => fateOf(random, spec.argv[0] ?? '', isCalm()), trace })
  const defectOf = (text: string) => /rejected|refused/.exec(text)?.[0] as Defect | undefined
  const machine = createNginxMachine({ clock, random, defectOf, violate, trace })
  const log = createLog({ format: 'text', level: 'info', now: clock.now, write: options.write })
  const runtime = { clock, log, random: random.next, spawn: system.spawn }
  const run = createRun(options.initial, log)
  let nginx: RunningNginx | undefined
  let follow = async () => {}
  const rotation = createRotation(() => follow(), runtime)
  const shared = {
    ...runtime,
    settings: run.settings,
    failures: () => () => false,
    oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
    order: createStartOrder(),
  }
  const processes = await openProcesses(shared)
  const apps = run.add(
    createApps({
      ...shared,
      machine: {
        socketsFor: () => system.sockets,
        portsOf: () => [],
        ownerOf: () => undefined,
        readStack: async () => [],
        memoryOf: () => new Map(),
        findDetached: () => [],
        signalDetached() {},
      },
      probe: {
        async responds(address, timeoutMs) {
          const descriptor = address.kind === 'unix' ? system.resolve(address.path) : undefined
          if (descriptor === undefined) return false
          const responded = system.accepted(descriptor).then(() => pause(clock, random.between(0, 20)))
          return Promise.race([responded.then(() => true), pause(clock, timeoutMs).then(() => false)])
        },
        respondsToGet: async () => true,
      },
      inFlight: { of: async () => [] },
      failedTries: { exited: () => ({ refused: async () => [] }) },
      onRotation: rotation.changed,
      onBootFailure() {},
      onWorkerEvent() {},
    }),
  )
  run.add(processes)

  async function runHook(): Promise<void> {
    await pause(clock, random.pick([0, random.between(0, 300)]))
  }
  const hooks: HookRunner = {
    async run() {
      await runHook()
      return isCalm() || random.chance(0.9) ? { ok: true } : { ok: false, reason: 'no', code: 1 }
    },
    attempt: runHook,
    enqueue() {},
    settled: async () => {},
    end: async () => {},
  }

  const hurried = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<StopReason>()
  const ready = Promise.withResolvers<void>()
  const commands = createCommandQueue({
    run: command =>
      runCommand(
        { clock, log, run, hooks, apps, processes, nginx, resolveAgain, report() {} } as unknown as CommandDeps,
        command,
      ),
    stop(mode) {
      if (mode === 'quick') hurried.resolve()
      asked.resolve({ mode, code: 0 })
      ready.resolve()
    },
    ready: ready.promise,
    log,
  })

  async function resolveAgain() {
    await pause(clock, random.between(0, 50))
    const settings = options.next()
    return settings ? ({ ok: true, settings } as const) : ({ ok: false, reason: 'invalid' } as const)
  }

  return {
    system,
    nginx: machine,
    settings: run.settings,
    plans: () => [
      ...[...apps.pools].map(([name, pool]) => `${name} ${pool.plan().argv.join(' ')}`),
      ...[...processes.pools].map(([name, pool]) => `${name} ${pool.plan().argv.join(' ')}`),
    ],
    async start() {
      const booted = apps.start()
      processes.start()
      nginx = run.add(
        createRunningNginx(
          run,
          createNginx({
            ...{ clock, log, random: random.next, spawn: machine.spawn, files: machine.files },
            ...{ processes: machine.processes, askGeneration: machine.askGeneration, descriptors: [], env: {} },
          }),
          rendering,
        ),
      )
      await nginx.start()
      const { ok } = await booted
      if (!ok) return false
      await apps.settled()
      apps.serve()
      follow = nginx.follow
      await follow()
      ready.resolve()
      return true
    },
    send: command => commands.push(command, 'the simulation'),
    stopped: asked.promise.then(reason =>
      stop(
        {
          clock,
          log,
          run,
          hooks,
          isServing: nginx?.isStarted() ?? false,
          mayHaveBeenReady: true,
          hurried: hurried.promise,
        },
        reason,
      ),
    ),
    giveUp: () => asked.resolve({ mode: 'quick', code: 1 }),
  }
}
