import type { Log } from '../../base/log.ts'
import { describeExit } from '../../processes/exit.ts'
import { type LastDeath, tellingLine } from '../../processes/last-death.ts'
import type { WorkerAddress } from '../address.ts'
import { renderAddress } from '../app-upstream.ts'
import type { RefusedEnd, WorkerEnd } from '../worker-end.ts'
import type { FatalTries } from './failed-tries.ts'
import type { InFlight } from './in-flight.ts'

/** Dependencies of the record of a death. */
export interface DeathRecordDeps {
  log: Log
  inFlight: Pick<InFlight, 'of'>
}

interface Circumstances {
  worker: string
  decision: string | undefined
  endsRun: boolean
  at: number
  /** Addresses at which nginx reached the worker. */
  addresses: readonly WorkerAddress[]
  /** Tries that it ended; undefined if it was never started. */
  fatal: FatalTries | undefined
}

/** Logs the death of a worker that ended by itself, and returns it for the status. The requests that were in flight follow a moment later. */
export function recordDeath(
  { log, inFlight }: DeathRecordDeps,
  { pid, exit, cause, reason, startedAt, uptimeMs, stack, lastLines, wasReady }: WorkerEnd | RefusedEnd,
  { worker, decision, endsRun, at, addresses, fatal }: Circumstances,
): LastDeath {
  const record = {
    worker,
    pid,
    // its exit only says that it was stopped
    exit: cause === 'boot timeout' ? 'stopped at boot_timeout' : describeExit(exit),
    reason,
    uptime_ms: uptimeMs,
    decision: endsRun ? 'everything is stopped' : decision,
    stack: stack.length > 0 ? stack : undefined,
    last_lines: lastLines,
  }
  const time = new Date(at).toISOString()
  const death: LastDeath = { at: time, exit: record.exit, reason, line: tellingLine(lastLines), requests: [] }
  const write = (requests: readonly string[], refused: readonly string[]) => {
    death.requests = requests
    log.error('worker died', {
      ...record,
      in_flight: requests.length > 0 ? requests : undefined,
      not_retried: refused.length > 0 ? refused : undefined,
    })
  }
  async function find(): Promise<void> {
    // nginx logs a request after the decision not to retry it
    const refused = endsRun ? [] : ((await fatal?.refused()) ?? [])
    write(await inFlight.of({ worker, addresses: addresses.map(renderAddress), startedAt, at, endsRun }), refused)
  }
  // a worker that was never ready had no requests
  if (wasReady) void find()
  else write([], [])
  return death
}

/** Reason why a new worker failed, for the result of a replacement. */
export function outcomeOf({ reason, exit, wasReady, servedMs }: WorkerEnd | RefusedEnd): string {
  if (reason !== undefined) return reason
  const when = wasReady ? `${servedMs} ms after it was ready` : 'before it was ready'
  return `the new worker ended with ${describeExit(exit)} ${when}`
}
