import { pause } from '../../base/clock.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Exit as ProcessExit } from '../../processes/exit.ts'
import type { StopCause } from '../../processes/process-state.ts'
import { noteDeath, type OffenderCounts, type OffenderPolicy } from './repeat-offenders.ts'

/** A try of a request that got no response, as nginx reports it. */
export interface FailedTry {
  /** `GET /orders`, without the query. */
  request: string
  id: string
  /** Address of the worker. */
  address: string
  /** Time at which nginx began it, in ms since the Unix epoch. */
  beganAt: number
  /** Number of workers that the request was sent to. */
  sent: number
  /** Whether nginx can send it again. */
  isRepeatable: boolean
}

/** Exit of a worker, with the tries that were in flight. */
export interface FatalTries {
  /** Requests that were not sent to another worker, with the reason, as far as they are known a moment after the exit. Later ones are logged. */
  refused(): Promise<string[]>
}

/** Exit of a worker that was ready. */
export interface WorkerExit {
  /** `app.1` */
  worker: string
  /** All addresses at which nginx reached it. */
  addresses: readonly string[]
  /** Whether it ended by a fault of its own, and not by a signal from outside or a request to stop. */
  isOwnFault: boolean
}

/** Decides which requests go to another worker after theirs has died. */
export interface FailedTries {
  exited(exit: WorkerExit): FatalTries
  /** Whether a request may be sent to another worker. */
  mayRepeat(failed: FailedTry): Promise<boolean>
  /** Whether it is the most likely cause of its worker's death, after `mayRepeat`: none of those in flight began later. */
  isSuspect(failed: FailedTry): boolean
}

/** Pause between looks. A look counts only after a turn of the event loop, in which a busy supervisor reads what has happened. */
const pollMs = 5
/** Looks, 100 ms, within which the exit of a worker is noticed after nginx has lost its connection. */
const exitLooks = 20
/** Looks, 15 ms, within which nginx reports all requests that a dead worker had. */
const othersLooks = 3
/** Time for which requests are attributed to an exit. */
const recentMs = 1000
/** Tolerance for rounding: nginx measures in whole milliseconds. */
const roundedMs = 5
const policy: OffenderPolicy = { deaths: 1, forgetAfterMs: 600_000, remembered: 200 }
const listed = 20

interface Exit extends WorkerExit {
  at: number
  tries: FailedTry[]
  /** Decisions about them that have begun. */
  decisions: Promise<unknown>[]
  refused: string[]
  isRecorded: boolean
}

/** Signals that other programs send. A program that is at fault gets another one, or exits. */
const foreignSignals: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']

/** Whether a process ended by a fault of its own, which includes a hang and the memory that it used up. */
export function isOwnFault({ exit, cause }: { exit: ProcessExit; cause: StopCause | undefined }): boolean {
  if (cause !== undefined) return cause === 'hung'
  return exit.kind === 'code' || exit.isOutOfMemory === true || !foreignSignals.includes(exit.signal)
}

/** Decisions about failed tries, without any exit so far. */
export function createFailedTries({ clock, log }: Pick<Runtime, 'clock' | 'log'>): FailedTries {
  let exits: Exit[] = []
  let offenders: OffenderCounts = new Map()

  function isOffender(request: string): boolean {
    return (offenders.get(request) ?? []).some(at => at > clock.monotonic() - policy.forgetAfterMs)
  }

  function convict(request: string): void {
    offenders = noteDeath(offenders, { requests: [request], at: clock.monotonic() }, policy).counts
  }

  /** The exit that ended a try; undefined if none is noticed. */
  async function exitOf(failed: FailedTry): Promise<Exit | undefined> {
    for (let look = 0; ; look++) {
      const exit = exits.findLast(
        ({ addresses, at, tries }) =>
          addresses.includes(failed.address) &&
          failed.beganAt <= at + roundedMs &&
          at > clock.now() - recentMs &&
          // another try of a request belongs to another exit
          tries.every(({ id }) => id !== failed.id),
      )
      if (exit) exit.tries.push(failed)
      if (exit || look === exitLooks) return exit
      await pause(clock, pollMs)
    }
  }

  /** Whether another request was in flight too. It waits until none can be expected any more. */
  async function hasOthers(exit: Exit): Promise<boolean> {
    for (let look = 0; exit.tries.length < 2 && look < othersLooks; look++) await pause(clock, pollMs)
    return exit.tries.length > 1
  }

  /** Reason why a request is not sent to another worker; undefined if it is. */
  async function refusalOf(exit: Exit, { request, sent }: FailedTry): Promise<string | undefined> {
    if (sent > 1) {
      if (!exit.isOwnFault && (await hasOthers(exit))) return undefined
      if (exit.isOwnFault) convict(request)
      return 'second worker'
    }
    if (!exit.isOwnFault) return undefined
    if (isOffender(request)) return 'repeat offender'
    if (await hasOthers(exit)) return undefined
    convict(request)
    return 'only request in flight'
  }

  function refuse({ worker, refused, isRecorded }: Exit, text: string): void {
    if (isRecorded) log.warn('a request was not retried after its worker died', { worker, not_retried: text })
    else refused.push(text)
  }

  async function judge(failed: FailedTry): Promise<boolean> {
    const exit = await exitOf(failed)
    if (!exit) return failed.sent < 2
    const decision = refusalOf(exit, failed).then(refusal => {
      if (refusal !== undefined) refuse(exit, `${failed.request} ${failed.id} (${refusal})`)
      return refusal === undefined
    })
    exit.decisions.push(decision)
    const isAllowed = await decision
    // which began last is known only once all are
    while (isAllowed && exit.isOwnFault && clock.now() < exit.at + othersLooks * pollMs) await pause(clock, pollMs)
    return isAllowed
  }

  return {
    exited(ended) {
      const at = clock.now()
      const exit: Exit = { ...ended, at, tries: [], decisions: [], refused: [], isRecorded: false }
      exits = [...exits.filter(({ at: earlier }) => earlier > at - recentMs), exit]
      return {
        async refused() {
          for (let look = 0; look < othersLooks; look++) await pause(clock, pollMs)
          await Promise.all(exit.decisions)
          exit.isRecorded = true
          return exit.refused.slice(0, listed)
        },
      }
    },
    isSuspect(failed) {
      const exit = exits.find(({ tries }) => tries.includes(failed))
      return exit?.isOwnFault === true && exit.tries.every(({ beganAt }) => beganAt <= failed.beganAt)
    },
    async mayRepeat(failed) {
      if (failed.sent === 0) return failed.isRepeatable
      if (failed.isRepeatable) return judge(failed)
      // it was in flight like the others, but nginx need not wait
      void exitOf(failed)
      return false
    },
  }
}
