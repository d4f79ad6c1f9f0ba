import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { pause } from '../../base/clock.ts'
import { messageOf, OperatorError } from '../../base/errors.ts'

const retryMs = 200

/** Where nginx writes its access log, and what keeps that place open. */
export interface AccessLog {
  path: string
  /** Ends what was started; call it when nginx is gone. */
  close(): Promise<void>
}

/**
 * nginx opens its log by name. /dev/stdout it can open when stdout is a pipe, a file or a terminal of the same user, and
 * not when it is a socket (systemd) or somebody else's; a file not opened for appending would be overwritten by the
 * supervisor's own lines; and a named pipe lets nobody open it while nobody reads. Then lines go through a named pipe of our
 * own to a `cat` that has inherited stdout. Either way none goes through the supervisor.
 */
export async function openAccessLog(fifo: string): Promise<AccessLog> {
  if (isOverwritten(1) || isNamedPipe(1)) return openRelay(fifo)
  try {
    closeSync(openSync('/dev/stdout', constants.O_WRONLY | constants.O_APPEND))
    return { path: '/dev/stdout', close: async () => {} }
  } catch {
    return openRelay(fifo)
  }
}

/** Whether a descriptor is of a file with an offset of its own, which another opening of the file does not share. */
function isOverwritten(descriptor: number): boolean {
  if (!fstatSync(descriptor).isFile()) return false
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1]
  return (Number.parseInt(flags ?? '0', 8) & constants.O_APPEND) === 0
}

function isNamedPipe(descriptor: number): boolean {
  return fstatSync(descriptor).isFIFO() && !readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('pipe:')
}

async function makePipe(path: string): Promise<void> {
  try {
    await once(spawn('mkfifo', ['-m', '0600', path], { stdio: 'ignore' }), 'exit')
  } catch (error) {
    throw new OperatorError(`cannot run mkfifo, which the access log needs with this stdout: ${messageOf(error)}`, {
      fix: 'install coreutils, or let stdout be a pipe or a file that is opened for appending (>>)',
      cause: error,
    })
  }
}

async function openRelay(fifo: string): Promise<AccessLog> {
  rmSync(fifo, { force: true })
  await makePipe(fifo)
  // open for both first: opening one end of a pipe waits for the other
  const both = openSync(fifo, constants.O_RDWR)
  const reader = openSync(fifo, constants.O_RDONLY)
  const writer = openSync(fifo, constants.O_WRONLY)
  closeSync(both)
  let isClosing = false

  const copy = async (): Promise<void> => {
    let target: 1 | 'ignore' = 1
    while (!isClosing) {
      try {
        const [, signal] = await once(spawn('cat', [], { stdio: [reader, target, 'ignore'], detached: true }), 'exit')
        // nobody reads any more, and nginx must not wait for a place to write to
        if (signal === 'SIGPIPE') target = 'ignore'
      } catch {
        await pause(systemClock, retryMs) // no more files or processes now
      }
    }
  }
  const copying = copy()
  return {
    path: fifo,
    async close() {
      isClosing = true
      closeSync(writer)
      await copying
      closeSync(reader)
      rmSync(fifo, { force: true })
    },
  }
}
