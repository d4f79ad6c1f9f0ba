import { reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import { stoppingReason } from '../base/stopping.ts'
import { type Command, refusalInHook } from './command.ts'

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
  push(command: Command, from: string, client?: CommandClient): Promise<Outcome>
}

/** Client that waits for a command. */
export interface CommandClient {
  /** Hook that the client runs in, such as `after_reload`. */
  hook: string | undefined
  /** Whether it no longer waits. */
  isGone(): boolean
}

const stopping: Outcome = { ok: false, message: 'command rejected', reason: stoppingReason }

/** Whether running a command twice in a row has the same effect as running it once. */
function isRepeatable({ type }: Command): boolean {
  return type !== 'scaleBy'
}

/** Queue that runs commands one after the other. A stop does not wait, and a second stop is a quick one. */
export function createCommandQueue({ run, stop, ready, log }: CommandQueueDeps): CommandQueue {
  let last: Promise<unknown> = ready
  /** The last command, while it waits for others: an equal one that follows would only repeat it. */
  let waiting: { command: Command; done: Promise<Outcome> } | undefined
  let isStopping = false

  async function runNow(command: Command, client: CommandClient | undefined): Promise<Outcome> {
    if (isStopping) return stopping
    if (client?.isGone()) return abandonedBy(command)
    const outcome = await run(command).catch(
      (error: unknown): Outcome => ({ ok: false, message: `${command.type} failed`, reason: reasonOf(error) }),
    )
    if (outcome.ok) log.info(outcome.message)
    else log.error(outcome.message, { reason: outcome.reason, last_lines: outcome.lastLines })
    return outcome
  }

  function abandonedBy({ type }: Command): Outcome {
    log.info('command dropped, its client is gone', { command: type })
    return { ok: false, message: 'command dropped', reason: 'its client is gone' }
  }

  return {
    async push(command, from, client) {
      const refusal = client?.hook === undefined ? undefined : refusalInHook(command, client.hook)
      if (refusal !== undefined) {
        log.warn('command rejected', { command: command.type, hook: client?.hook, reason: refusal })
        return { ok: false, message: 'command rejected', reason: refusal }
      }
      log.info('command received', { command: command.type, from })
      if (command.type === 'stop' || command.type === 'quickStop') {
        stop(isStopping || command.type === 'quickStop' ? 'quick' : 'graceful')
        isStopping = true
        return { ok: true, message: 'stopping' }
      }
      if (waiting && JSON.stringify(waiting.command) === JSON.stringify(command)) {
        log.info('command merged with an equal one that waits', { command: command.type })
        return waiting.done
      }
      const done = last.then(() => {
        if (waiting?.command === command) waiting = undefined
        return runNow(command, client)
      })
      // one of a client is dropped when the client goes
      waiting = isRepeatable(command) && !client ? { command, done } : undefined
      last = done
      return done
    },
  }
}
