import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { errnoOf } from '../../base/errors.ts'

/** With more pending bytes than this, writers should pause. */
const highWaterBytes = 1 << 18
/** PIPE_BUF: smaller writes to a pipe are atomic (pipe(7)). nginx writes to the same pipe. */
const atomicBytes = 4096
const batchBytes = 1 << 16
const lineBreak = Buffer.from('\n')
const retryMs = 5
const endTimeoutMs = 1000

/**
 * Output to a descriptor, in whole lines and without blocking the event loop. Data that cannot be written, because the reader is gone or
 * the disk is full, is lost; later data is tried again.
 */
export interface Output {
  /** Writes whole lines. The caller may use the buffer again. */
  write(data: Buffer | string): void
  /** Undefined if there is room; otherwise a promise that settles when there is room again. */
  full(): Promise<void> | undefined
  /** Closes the output. Settles with true when all pending data is written, or with false after `timeoutMs` (a second): a write may still be blocked. */
  end(timeoutMs?: number): Promise<boolean>
}

/** Output to an open descriptor. */
export function createOutput(descriptor: number): Output {
  const isPipe = fstatSync(descriptor).isFIFO()
  const limit = isPipe ? atomicBytes : batchBytes
  const instant = isPipe ? openInstant(descriptor) : undefined
  /** Copies of what could not be written at once. */
  let queue: Buffer[] = []
  let queuedBytes = 0
  let current: Buffer | undefined
  let written = 0
  /** Whether the last write ended in the middle of a line. */
  let isTorn = false
  let isClosed = false
  let waiting: { promise: Promise<void>; resolve: () => void } | undefined

  function pump(): void {
    if (current || isClosed) return
    takeNext()
    writeOn()
  }

  function takeNext(): void {
    if (queue.length === 0) return
    if (isTorn) {
      queue.unshift(lineBreak)
      queuedBytes += lineBreak.length
    }
    const next = queue.splice(0, batchLength())
    const [only] = next
    current = next.length === 1 && only ? only : Buffer.concat(next)
    written = 0
  }

  /** Number of the next pieces that are written together: small ones, so that nothing large is copied. */
  function batchLength(): number {
    let bytes = 0
    const count = queue.findIndex(piece => {
      bytes += piece.length
      return bytes > batchBytes
    })
    return count === -1 ? queue.length : Math.max(1, count)
  }

  function writeOn(): void {
    while (current) {
      const rest = current.subarray(written)
      const count = instant === undefined ? 0 : writeLines(instant, rest)
      if (count < rest.length) {
        written += count
        queuedBytes -= count
        writeInThread(current, nextLength(current, written))
        return
      }
      advance(current, count)
    }
  }

  /** Writes whole lines while there is room. Returns the number of bytes written. */
  function writeLines(descriptor: number, data: Buffer): number {
    let done = 0
    while (done < data.length) {
      const length = nextLength(data, done)
      const count = length <= limit ? writeAtOnce(descriptor, data, done, length) : 0
      if (count === 0) break
      done += count
    }
    return done
  }

  /** Waits for room if necessary. */
  function writeInThread(data: Buffer, length: number): void {
    write(descriptor, data, written, length, null, (error, count) => {
      if (!current) return
      if (error) {
        if (errnoOf(error) === 'EAGAIN') setTimeout(writeOn, retryMs)
        else drop()
        return
      }
      advance(data, count)
      writeOn()
    })
  }

  function advance(data: Buffer, count: number): void {
    written += count
    queuedBytes -= count
    if (written < data.length) return
    current = undefined
    isTorn = false
    release()
    takeNext()
  }

  /** Length of the whole lines that fit into one atomic write; a longer line is written in one piece. */
  function nextLength(data: Buffer, from: number): number {
    const rest = data.length - from
    if (rest <= limit) return rest
    const lastBreak = data.lastIndexOf(10, from + limit - 1)
    if (lastBreak >= from) return lastBreak + 1 - from
    const nextBreak = data.indexOf(10, from + limit)
    return nextBreak === -1 ? rest : nextBreak + 1 - from
  }

  function release(): void {
    if (queuedBytes > highWaterBytes) return
    waiting?.resolve()
    waiting = undefined
  }

  function drop(): void {
    if (current && written > 0) isTorn = current[written - 1] !== 10
    current = undefined
    queue = []
    queuedBytes = 0
    release()
  }

  function close(): void {
    if (isClosed) return
    isClosed = true
    drop()
    if (instant !== undefined) closeSync(instant)
  }

  return {
    write(data) {
      if (isClosed) return
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      const isIdle = queuedBytes === 0 && !isTorn && instant !== undefined
      const count = isIdle ? writeLines(instant, bytes) : 0
      if (count === bytes.length) return
      queue.push(Buffer.from(bytes.subarray(count)))
      queuedBytes += bytes.length - count
      pump()
    },
    full() {
      if (queuedBytes <= highWaterBytes) return undefined
      if (!waiting) {
        let resolve = () => {}
        const promise = new Promise<void>(done => {
          resolve = done
        })
        waiting = { promise, resolve }
      }
      return waiting.promise
    },
    async end(timeoutMs = endTimeoutMs) {
      const deadline = systemClock.monotonic() + timeoutMs
      while (queuedBytes > 0 && systemClock.monotonic() < deadline) await new Promise(resolve => setTimeout(resolve, 1))
      const isWritten = queuedBytes === 0
      close()
      return isWritten
    },
  }
}

/**
 * The same pipe once more, for writes that never wait: through an operation in a thread each piece of 4 KB takes several times as long. The
 * flags of the descriptor itself are those of every process that has inherited it. Undefined if this user may not open it.
 */
function openInstant(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** Number of bytes written: all or none. */
function writeAtOnce(descriptor: number, data: Buffer, from: number, length: number): number {
  try {
    return writeSync(descriptor, data, from, length)
  } catch {
    return 0 // no room; a write in a thread meets any other error again
  }
}
