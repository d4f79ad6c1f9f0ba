import type { Log } from '../../base/log.ts'
import { describeExit } from '../../processes/exit.ts'
import type { WorkerAddress } from '../address.ts'
import { renderAddress } from '../upstream.ts'
import type { RefusedEnd, WorkerEnd } from '../worker.ts'
import type { InFlight } from './in-flight.ts'

export interface DeathRecordDeps {
  log: Log
  inFlight: Pick<InFlight, 'of'>
}

interface Circumstances {
  worker: string
  decision: string | undefined
  endsRun: boolean
  at: number
  /** Where nginx found it. */
  addresses: readonly WorkerAddress[]
}

/** Writes down what is known of a worker that ended by itself, with the requests it was in. */
export function recordDeath(
  { log, inFlight }: DeathRecordDeps,
  { pid, exit, reason, startedAt, uptimeMs, stack, lastLines, wasReady }: WorkerEnd | RefusedEnd,
  { worker, decision, endsRun, at, addresses }: Circumstances,
): void {
  const record = {
    worker,
    pid,
    exit: describeExit(exit),
    reason,
    uptime_ms: uptimeMs,
    decision: endsRun ? 'everything is stopped' : decision,
    stack: stack.length > 0 ? stack : undefined,
    last_lines: lastLines,
  }
  const write = (requests: readonly string[]) =>
    log.error('worker died', { ...record, in_flight: requests.length > 0 ? requests : undefined })
  // one that was never ready had no requests
  if (!wasReady) write([])
  else void inFlight.of({ worker, addresses: addresses.map(renderAddress), startedAt, at, endsRun }).then(write)
}

/** What became of a new worker, in words. */
export function outcomeOf({ reason, exit, wasReady, servedMs }: WorkerEnd | RefusedEnd): string {
  if (reason !== undefined) return reason
  const when = wasReady ? `${servedMs} ms after it was ready` : 'before it was ready'
  return `the new worker ended with ${describeExit(exit)} ${when}`
}
