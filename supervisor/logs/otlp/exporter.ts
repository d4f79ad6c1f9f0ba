import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Encoded } from './encoding.ts'
import type { Signal } from './settings.ts'

const batchSize = 512
const maxQueue = 8192
const [firstRetryMs, lastRetryMs] = [1000, 30_000]

/** Outcome of a request; `refused`: records of it that the receiver did not take; `retryMs`: the delay that it asks for. */
export type Delivery =
  | { kind: 'delivered'; refused?: number; reason?: string }
  | { kind: 'rejected'; reason: string }
  | { kind: 'failed'; reason: string; retryMs?: number }

/** Dependencies of an exporter. */
export interface ExporterDeps {
  clock: Clock
  log: Pick<Log, 'warn' | 'info'>
  signal: Signal
  /** Delay in which records are collected. */
  delayMs: number
  send(records: readonly Encoded[]): Promise<Delivery>
}

/** Queue of one signal: bounded, sent in batches, and tried again while the receiver fails. The oldest records are dropped first. */
export interface Exporter {
  add(record: Encoded): void
  /** Number of records that were lost. */
  dropped(): number
  /** Sends what waits, once. */
  flush(): Promise<void>
  close(): void
}

/** Exporter without records. */
export function createExporter({ clock, log, signal, delayMs, send }: ExporterDeps): Exporter {
  let queue: Encoded[] = []
  let dropped = 0
  let cancel: (() => void) | undefined
  let sending: Promise<void> | undefined
  let retryMs = 0
  let isClosed = false

  function schedule(afterMs: number): void {
    if (isClosed || cancel || sending) return
    cancel = clock.after(afterMs, () => {
      cancel = undefined
      void start()
    })
  }

  function start(): Promise<void> {
    cancel?.()
    cancel = undefined
    sending ??= sendBatch().finally(() => {
      sending = undefined
      if (retryMs > 0) schedule(retryMs)
      else if (queue.length > 0) schedule(queue.length >= batchSize ? 0 : delayMs)
    })
    return sending
  }

  async function sendBatch(): Promise<void> {
    const batch = queue.slice(0, batchSize)
    if (batch.length === 0) return
    queue = queue.slice(batch.length)
    const result = await send(batch)
    if (result.kind === 'delivered') {
      if (retryMs > 0) log.info('telemetry is exported again', { signal })
      retryMs = 0
      if (result.refused) reject(result.refused, result.reason)
      return
    }
    if (result.kind === 'rejected') return reject(batch.length, result.reason)
    if (retryMs === 0) log.warn('cannot export telemetry, it will be tried again', { signal, reason: result.reason })
    retryMs = Math.max(result.retryMs ?? 0, Math.min(lastRetryMs, retryMs === 0 ? firstRetryMs : retryMs * 2))
    queue = [...batch, ...queue]
    limit()
  }

  function reject(records: number, reason: string | undefined): void {
    dropped += records
    log.warn('telemetry was rejected', { signal, reason, records })
  }

  function limit(): void {
    const excess = queue.length - maxQueue
    if (excess <= 0) return
    queue = queue.slice(excess)
    dropped += excess
  }

  return {
    add(record) {
      queue.push(record)
      // dropping one by one would copy the queue each time
      if (queue.length > maxQueue + batchSize) limit()
      if (queue.length === batchSize && retryMs === 0) void start()
      else schedule(retryMs > 0 ? retryMs : delayMs)
    },
    dropped: () => dropped,
    flush: start,
    close() {
      isClosed = true
      cancel?.()
    },
  }
}
