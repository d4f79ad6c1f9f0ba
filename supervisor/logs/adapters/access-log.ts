import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { pause } from '../../base/clock.ts'
import { messageOf, OperatorError } from '../../base/errors.ts'

const retryMs = 200
/** Time for the relay to write what it has read. If nobody reads its output, it would wait for ever. */
const closeMs = 150

/** Path that nginx writes its access log to, kept open until `close`. */
export interface AccessLog {
  path: string
  /** Stops the relay, if there is one. Call it after nginx has exited. */
  close(): Promise<void>
}

/**
 * Opens the access log. nginx opens its log by name: /dev/stdout works if stdout is a pipe, or a file or terminal of the same user. It fails
 * if stdout is a socket (systemd) or belongs to another user. In a file that is not opened for appending, nginx and the supervisor would
 * overwrite each other's lines, and a named pipe without a reader cannot be opened. In these cases lines go through another named pipe to a
 * `cat` that has inherited stdout. No line passes through the supervisor.
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

/** Whether a descriptor is a file that is not opened for appending: a second descriptor of it has its own offset. */
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
      fix: 'install coreutils, or make stdout a pipe or a file that is opened for appending (>>)',
      cause: error,
    })
  }
}

async function openRelay(fifo: string): Promise<AccessLog> {
  rmSync(fifo, { force: true })
  await makePipe(fifo)
  // read and write first: opening only one end of a pipe waits for the other
  const both = openSync(fifo, constants.O_RDWR)
  const reader = openSync(fifo, constants.O_RDONLY)
  const writer = openSync(fifo, constants.O_WRONLY)
  closeSync(both)
  let isClosing = false
  let cat: ChildProcess | undefined

  const copy = async (): Promise<void> => {
    let target: 1 | 'ignore' = 1
    while (!isClosing) {
      try {
        cat = spawn('cat', [], { stdio: [reader, target, 'ignore'], detached: true })
        const [, signal] = await once(cat, 'exit')
        // the reader is gone, and a full pipe would block nginx
        if (signal === 'SIGPIPE') target = 'ignore'
      } catch {
        await pause(systemClock, retryMs) // the limit of files or processes is reached
      }
    }
  }
  const copying = copy()
  return {
    path: fifo,
    async close() {
      isClosing = true
      closeSync(writer)
      const cancel = systemClock.after(closeMs, () => cat?.kill('SIGKILL'))
      await copying
      cancel()
      closeSync(reader)
      rmSync(fifo, { force: true })
    },
  }
}
