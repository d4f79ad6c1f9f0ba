import type { SharedState } from '../../shared-state/state.ts'
import { type JobState, type RunRecord, readState } from './record.ts'
import type { JobStore } from './store.ts'

/** Start of the names of records of jobs. */
export const jobRecords = 'jobs/'

/** Most tries of a change that other instances forestall. */
const mostTries = 50
/** Runs whose last lines are kept, from the newest on: each instance reads the whole record. */
const runsWithLines = 5
const keptLines = 5
const maxLineLength = 200

/** States of jobs in the shared state. A change is applied again to what another instance has written meanwhile. */
export function createSharedJobStore(state: Pick<SharedState, 'read' | 'write'>): JobStore {
  const recordOf = (name: string) => `${jobRecords}${name}`
  return {
    async read(name) {
      const record = await state.read(recordOf(name))
      return record && readState(record.value)
    },
    async update(name, change) {
      for (let tries = 0; tries < mostTries; tries++) {
        const record = await state.read(recordOf(name))
        const next = change(record && readState(record.value))
        if (!next) return
        const value = JSON.stringify(shortened(next))
        const { kind } = await state.write(recordOf(name), value, { version: record?.version ?? 0 })
        if (kind === 'written') return
      }
      throw new Error('other instances change it all the time')
    },
  }
}

function shortened(state: JobState): JobState {
  const firstWithLines = state.runs.length - runsWithLines
  const short = ({ lastLines, ...run }: RunRecord, at: number): RunRecord =>
    lastLines === undefined || lastLines.length === 0 || at < firstWithLines
      ? run
      : { ...run, lastLines: lastLines.slice(-keptLines).map(line => line.slice(0, maxLineLength)) }
  return { ...state, runs: state.runs.map(short) }
}
