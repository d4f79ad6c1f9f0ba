import { fstatSync, write } from 'node:fs'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { errnoOf } from '../../base/errors.ts'

/** Above this many waiting bytes, whoever feeds the output should pause. */
const highWaterBytes = 1 << 20
/** Writes of up to PIPE_BUF bytes to a pipe are atomic (pipe(7)); nginx writes its own lines to the same pipe. */
const atomicBytes = 4096
const batchBytes = 1 << 16
const lineBreak = Buffer.from('\n')
const retryMs = 5
const endTimeoutMs = 1000

/**
 * A descriptor written to without ever blocking the event loop, whole lines at a time. What cannot be written, since nobody
 * reads or the disk is full, is lost; what comes later is tried again.
 */
export interface Output {
  write(data: Buffer | string): void
  /** Undefined when there is room; else settles when there is again. */
  full(): Promise<void> | undefined
  /** Settles when all that waits is written, or cannot be within a second; for the end of the process. */
  end(): Promise<void>
}

export function createOutput(descriptor: number): Output {
  const limit = fstatSync(descriptor).isFIFO() ? atomicBytes : batchBytes
  let queue: Buffer[] = []
  let queuedBytes = 0
  let current: Buffer | undefined
  let written = 0
  /** What came last of all that was written is no whole line. */
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

  /** As many whole lines as one atomic write takes; a longer line goes out in one piece. */
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
    async end() {
      const deadline = systemClock.monotonic() + endTimeoutMs
      while (queuedBytes > 0 && systemClock.monotonic() < deadline) await new Promise(resolve => setTimeout(resolve, 1))
      close()
    },
  }
}
