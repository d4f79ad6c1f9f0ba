import { fstatSync, write } from 'node:fs'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { errnoOf } from '../../base/errors.ts'

/** With more pending bytes than this, writers should pause. */
const highWaterBytes = 1 << 20
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
  write(data: Buffer | string): void
  /** Undefined if there is room; otherwise a promise that settles when there is room again. */
  full(): Promise<void> | undefined
  /** Closes the output. Settles with true when all pending data is written, or with false after `timeoutMs` (a second): a write may still be blocked. */
  end(timeoutMs?: number): Promise<boolean>
}

/** Output to an open descriptor. */
export function createOutput(descriptor: number): Output {
  const limit = fstatSync(descriptor).isFIFO() ? atomicBytes : batchBytes
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
    if (queue.length === 0) return
    if (isTorn) {
      queue.unshift(lineBreak)
      queuedBytes += lineBreak.length
    }
    const [only] = queue
    current = queue.length === 1 && only ? only : Buffer.concat(queue)
    queue = []
    written = 0
    writeSome()
  }

  function writeSome(): void {
    if (!current) return
    write(descriptor, current, written, nextLength(current, written), null, (error, count) => {
      if (!current) return
      if (error) {
        if (errnoOf(error) === 'EAGAIN') setTimeout(writeSome, retryMs)
        else drop()
        return
      }
      written += count
      queuedBytes -= count
      if (written < current.length) return writeSome()
      current = undefined
      isTorn = false
      release()
      pump()
    })
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
    isClosed = true
    drop()
  }

  return {
    write(data) {
      if (isClosed) return
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      queue.push(bytes)
      queuedBytes += bytes.length
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
