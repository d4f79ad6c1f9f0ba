import { reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import { stoppingReason } from '../base/stopping.ts'
import type { Command } from './command.ts'

/** Dependencies of the command queue. */
export interface CommandQueueDeps {
  /** Runs any command except a stop. */
  run(command: Command): Promise<Outcome>
  stop(mode: 'graceful' | 'quick'): void
  /** Settles when startup is over; earlier commands wait for it. */
  ready: Promise<unknown>
  log: Log
}

/** Queue of commands. */
export interface CommandQueue {
  /** Adds a command. Settles when the command is done; for a stop, when it has begun. */
  push(command: Command, from: string): Promise<Outcome>
}

const stopping: Outcome = { ok: false, message: 'command rejected', reason: stoppingReason }

/** Queue that runs commands one after the other. A stop does not wait, and a second stop is a quick one. */
export function createCommandQueue({ run, stop, ready, log }: CommandQueueDeps): CommandQueue {
  let last: Promise<unknown> = ready
  let isStopping = false

  async function runNow(command: Command): Promise<Outcome> {
    if (isStopping) return stopping
    const outcome = await run(command).catch(
      (error: unknown): Outcome => ({ ok: false, message: `${command.type} failed`, reason: reasonOf(error) }),
    )
    if (outcome.ok) log.info(outcome.message)
    else log.error(outcome.message, { reason: outcome.reason, last_lines: outcome.lastLines })
    return outcome
  }

  return {
    async push(command, from) {
      log.info('command received', { command: command.type, from })
      if (command.type === 'stop' || command.type === 'quickStop') {
        stop(isStopping || command.type === 'quickStop' ? 'quick' : 'graceful')
        isStopping = true
        return { ok: true, message: 'stopping' }
      }
      const done = last.then(() => runNow(command))
      last = done
      return done
    },
  }
}
