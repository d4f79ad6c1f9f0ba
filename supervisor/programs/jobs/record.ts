/** Reason for a run of a job. */
export type Trigger = 'schedule' | 'catch_up' | 'start' | 'request'

/**
 * Result of a run. stopped: Monohull stopped meanwhile; replaced: the next run came; lost: Monohull was killed meanwhile.
 */
export type RunResult = 'success' | 'failure' | 'timeout' | 'stopped' | 'replaced' | 'lost'

/** One run of a job, as the history keeps it. Times are ISO 8601. */
export interface RunRecord {
  id: string
  /** Instance that runs it: its host name and run_dir. */
  owner: string
  trigger: Trigger
  /** Time for which it was planned; absent for a run on request. */
  dueAt?: string
  startedAt: string
  /** Absent while it runs, as are the following. */
  endedAt?: string
  durationMs?: number
  result?: RunResult
  /** `exit code 1`, `signal SIGKILL`, or why it could not start. */
  exit?: string
  exitCode?: number
  /** Starts of the command. */
  attempts?: number
  /** Last lines of output, at most 20. */
  lastLines?: string[]
}

/** What is kept of a job in state_dir. */
export interface JobState {
  /** Schedule that `seenAt` belongs to. */
  schedule: string
  /** Last due time that was dealt with, or the time at which the schedule began; ISO 8601. */
  seenAt: string
  isPaused: boolean
  lastSuccessAt?: string
  /** The last 50 runs, oldest first. */
  runs: RunRecord[]
}

const keptRuns = 50
const maxLineLength = 500
/** A clock that was set back by less than this does not repeat runs; by more, it was wrong before. As in cron(8). */
export const setBackMs = 3 * 3_600_000

/** State for a schedule. If it is new or has changed, nothing before `seen` counts as missed. */
export function stateFrom(state: JobState | undefined, schedule: string, seen: number): JobState {
  if (state?.schedule === schedule) return state
  return { isPaused: false, runs: [], ...state, schedule, seenAt: isoTime(seen) }
}

/** Instant up to which the schedule was dealt with; `now` if the clock was far ahead when it was written. */
export function seenUntil({ seenAt }: Pick<JobState, 'seenAt'>, now: number): number {
  const seen = Date.parse(seenAt)
  return seen <= now + setBackMs ? seen : now
}

/** State with a run that has begun. */
export function withRun(state: JobState, run: RunRecord): JobState {
  return { ...state, runs: [...state.runs, run].slice(-keptRuns) }
}

/** State with the end of a run. */
export function withEnd(state: JobState, ended: RunRecord): JobState {
  const lastLines = ended.lastLines?.map(line => line.slice(0, maxLineLength)) ?? []
  const isKnown = state.runs.some(({ id }) => id === ended.id)
  const runs = isKnown ? state.runs : withRun(state, ended).runs
  return {
    ...state,
    ...(ended.result === 'success' && ended.endedAt !== undefined ? { lastSuccessAt: ended.endedAt } : {}),
    runs: runs.map(run => (run.id === ended.id ? { ...ended, lastLines } : run)),
  }
}

/** State in which runs of this instance that have no end are lost: it was killed. */
export function withoutUnfinished(state: JobState, owner: string): { state: JobState; lost: RunRecord[] } {
  const lost = state.runs.filter(run => run.owner === owner && run.result === undefined)
  return { lost, state: withLost(state, lost) }
}

/** State in which these runs, which have no end, are lost. */
export function withLost(state: JobState, lost: readonly RunRecord[]): JobState {
  const ids = new Set(lost.map(({ id }) => id))
  return { ...state, runs: state.runs.map(run => (ids.has(run.id) ? { ...run, result: 'lost' } : run)) }
}

/** State that a text contains; undefined if it is damaged. */
export function readState(text: string): JobState | undefined {
  try {
    const value: Partial<JobState> = Object(JSON.parse(text))
    const { schedule, seenAt, isPaused, runs } = value
    const isState =
      typeof schedule === 'string' &&
      Number.isFinite(Date.parse(seenAt ?? '')) &&
      typeof isPaused === 'boolean' &&
      Array.isArray(runs) &&
      runs.every(run => typeof run?.id === 'string' && Number.isFinite(Date.parse(run.startedAt)))
    return isState ? (value as JobState) : undefined
  } catch {
    return undefined
  }
}

/** Instant in ms as ISO 8601. */
export function isoTime(instant: number): string {
  return new Date(instant).toISOString()
}
