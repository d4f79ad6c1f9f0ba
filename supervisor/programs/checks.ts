import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import type { Spawn, SpawnSpec } from '../processes/child.ts'
import { describeExit, exitCodeOf } from '../processes/exit.ts'
import type { ManagedProcess } from '../processes/managed-process.ts'
import { manageTask } from '../processes/task-process.ts'
import type { Check } from './check.ts'

/** Time between SIGTERM and SIGKILL for a command that exceeded its time. */
const graceMs = 500

/** Probe of sockets. Each settles with undefined for a success, or with a problem. */
export interface SocketProbe {
  connects(target: { host: string; port: number } | { path: string }, timeoutMs: number): Promise<string | undefined>
  respondsToGet(url: string, timeoutMs: number): Promise<string | undefined>
}

/** Dependencies of checks. */
export interface ChecksDeps {
  clock: Clock
  spawn: Spawn
  probe: SocketProbe
}

/** Program that commands of checks belong to: they run as its user, in its directory and with its variables. */
export type CheckedProgram = Pick<SpawnSpec, 'name' | 'directory' | 'env' | 'uid' | 'gid'>

/** Checks of one program, of which one runs at a time. */
export interface Checks {
  /** Settles with undefined for a success, or with a problem. */
  run(check: Check, timeoutMs: number): Promise<string | undefined>
  /** Stops a running command. Settles when it is gone. */
  end(): Promise<void>
}

/** Checks of a program. */
export function createChecks({ clock, spawn, probe }: ChecksDeps, program: CheckedProgram): Checks {
  let running: ManagedProcess | undefined

  async function runCommand(argv: readonly string[], timeoutMs: number): Promise<string | undefined> {
    let task: ManagedProcess
    try {
      const { directory, env, uid, gid } = program
      const name = `${program.name}.check`
      const child = spawn({ name, directory, env, uid, gid, argv, inherit: [], output: 'kept', notify: false })
      task = manageTask({ child, clock, timeoutMs, graceMs })
    } catch (error) {
      return reasonOf(error)
    }
    running = task
    const { exit, cause } = await task.ended
    running = undefined
    if (cause === 'boot timeout') return `no result within ${formatDuration(timeoutMs)}`
    if (exitCodeOf(exit) === 0) return undefined
    await task.child.outputEnded()
    const line = task.child.lastLines().at(-1)
    return line === undefined ? describeExit(exit) : `${describeExit(exit)}: ${line}`
  }

  return {
    run(check, timeoutMs) {
      switch (check.kind) {
        case 'tcp':
          return probe.connects({ host: check.host, port: check.port }, timeoutMs)
        case 'unix':
          return probe.connects({ path: check.path }, timeoutMs)
        case 'http':
          return probe.respondsToGet(check.url, timeoutMs)
        case 'exec':
          return runCommand(check.argv, timeoutMs)
      }
    },
    async end() {
      const task = running
      task?.stop(0)
      await task?.ended
    },
  }
}
