import { closeSync, fstatSync, renameSync, write } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { errnoOf, messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { countLines } from '../line-count.ts'
import { openToAppend } from './log-directory.ts'
import type { Output } from './output.ts'
import { freePath } from './renamed-files.ts'

/** With more waiting bytes than this, writers should pause. */
const highWaterBytes = 1 << 20
/** With more waiting bytes than this, lines are dropped. */
const maxQueueBytes = 8 << 20
const batchBytes = 1 << 18
/** Time after a failed write in which lines are dropped without trying again. */
const retryMs = 1000
/** Time in which lines are collected. */
const collectMs = 20
const endTimeoutMs = 1000

/** Options of `openLogFile`. */
export interface LogFileOptions {
  clock: Clock
  log: Pick<Log, 'error' | 'info'>
  directory: string
  /** `monohull` for monohull.log */
  kind: string
  maxBytes: number
  /** Called with the number of lines that were lost. */
  onDropped: (lines: number) => void
}

/** Log file that is renamed when it is large. While it cannot be written, because the disk is full, lines are dropped and counted. */
export interface LogFile extends Output {
  /** Opens the file again by its name, after another program has renamed it. */
  reopen(): void
}

/** Opens the file for appending. Throws if that is impossible. */
export function openLogFile({ clock, log, directory, kind, maxBytes, onDropped }: LogFileOptions): LogFile {
  const path = join(directory, `${kind}.log`)
  let file = openToAppend(path)
  let { size } = fstatSync(file)
  let queue: Buffer<ArrayBuffer>[] = []
  let queuedBytes = 0
  let isWriting = false
  let isReopenDue = false
  /** Whether the last write ended in the middle of a line. */
  let isTorn = false
  let failure: { until: number; lost: number } | undefined
  let waiting: { promise: Promise<void>; resolve: () => void } | undefined
  let isClosed = false
  let cancel: (() => void) | undefined
  let ending: Promise<boolean> | undefined

  /** Writes soon: an operation in a thread for each line would take twice the CPU. */
  function collect(): void {
    cancel ??= clock.after(collectMs, () => {
      cancel = undefined
      pump()
    })
  }

  function pump(): void {
    if (isWriting || isClosed || queuedBytes === 0) return
    const pieces: Buffer<ArrayBuffer>[] = isTorn ? [Buffer.from('\n')] : []
    let length = 0
    while (length < batchBytes && queue[0]) {
      length += queue[0].length
      pieces.push(...queue.splice(0, 1))
    }
    writeOn(Buffer.concat(pieces), length)
  }

  function writeOn(data: Buffer<ArrayBuffer>, counted: number): void {
    isWriting = true
    write(file, data, (error, count) => {
      isWriting = false
      queuedBytes -= counted
      if (error) fail(error, data)
      else advance(data, count)
      if (isReopenDue) reopen()
      if (queuedBytes <= highWaterBytes) {
        waiting?.resolve()
        waiting = undefined
      }
      pump()
    })
  }

  function advance(data: Buffer<ArrayBuffer>, count: number): void {
    size += count
    isTorn = data[count - 1] !== 10
    if (count < data.length) {
      // the next write meets the reason
      queue.unshift(data.subarray(count))
      queuedBytes += data.length - count
      isTorn = false
      return
    }
    const over = failure
    failure = undefined
    if (over) log.info('log file is written again', { file: path, lines_lost: over.lost })
    if (size >= maxBytes) rename()
  }

  function fail(error: unknown, data: Buffer): void {
    const isFirst = !failure
    failure = { until: clock.monotonic() + retryMs, lost: failure?.lost ?? 0 }
    drop(data)
    for (const piece of queue) drop(piece)
    queue = []
    queuedBytes = 0
    isTorn = size > 0
    // last, because the line goes to this file too
    if (isFirst)
      log.error('cannot write a log file, its lines are lost meanwhile', {
        file: path,
        error: messageOf(error),
        fix: 'make room on the disk',
      })
  }

  function drop(data: Buffer | string): void {
    const lines = countLines(data)
    if (failure) failure.lost += lines
    onDropped(lines)
  }

  function rename(): void {
    try {
      renameSync(path, freePath(directory, kind, clock.now()))
    } catch (error) {
      size = 0
      // somebody removed it: the next one is made
      if (errnoOf(error) !== 'ENOENT') log.error('cannot rename a log file', { file: path, error: messageOf(error) })
    }
    reopen()
  }

  function reopen(): void {
    isReopenDue = isWriting
    if (isReopenDue) return
    try {
      const next = openToAppend(path)
      closeSync(file)
      file = next
      size = fstatSync(file).size
      isTorn = false
    } catch (error) {
      log.error('cannot open a log file again', { file: path, error: messageOf(error) })
    }
  }

  return {
    write(data) {
      if (isClosed || queuedBytes > maxQueueBytes || (failure && clock.monotonic() < failure.until)) {
        drop(data)
        return
      }
      const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data)
      queue.push(bytes)
      queuedBytes += bytes.length
      if (queuedBytes >= batchBytes) pump()
      else collect()
    },
    full() {
      if (queuedBytes <= highWaterBytes) return undefined
      if (!waiting) {
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting = { promise, resolve }
      }
      return waiting.promise
    },
    reopen,
    end(timeoutMs = endTimeoutMs) {
      ending ??= end(timeoutMs)
      return ending
    },
  }

  async function end(timeoutMs: number): Promise<boolean> {
    const deadline = clock.monotonic() + timeoutMs
    cancel?.()
    cancel = undefined
    pump()
    while (queuedBytes > 0 && clock.monotonic() < deadline)
      await new Promise<void>(resolve => void clock.after(1, resolve))
    isClosed = true
    if (!isWriting) closeSync(file)
    return queuedBytes === 0
  }
}
