import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Command } from '../domain/command.ts'

export interface CommandHandlers {
  reload(): Promise<void>
  roll(): Promise<void>
  reopenLogs(): Promise<void>
  stop(mode: 'graceful' | 'quick'): void
}

export interface CommandQueue {
  push(command: Command, from: string): void
}

/** One queue, one writer: commands run one after the other. A stop waits for nobody, and a second stop is a quick one. */
export function createCommandQueue(handlers: CommandHandlers, log: Log): CommandQueue {
  let last: Promise<void> = Promise.resolve()
  let isStopping = false

  function enqueue(name: string, run: () => Promise<void>): void {
    last = last.then(async () => {
      if (isStopping) return
      try {
        await run()
      } catch (error) {
        log.error('command failed', { command: name, error: messageOf(error) })
      }
    })
  }

  return {
    push(command, from) {
      log.info('command received', { command: command.type, from })
      switch (command.type) {
        case 'reload':
          return enqueue('reload', handlers.reload)
        case 'roll':
          return enqueue('roll', handlers.roll)
        case 'reopenLogs':
          return enqueue('reopenLogs', handlers.reopenLogs)
        case 'stop':
          handlers.stop(isStopping ? 'quick' : 'graceful')
          isStopping = true
          return
        case 'quickStop':
          isStopping = true
          return handlers.stop('quick')
      }
    },
  }
}
