import type { Outcome } from '../../base/outcome.ts'
import { type Maintenance, type MaintenanceOptions, parseState } from './maintenance.ts'

const record = 'maintenance'
const nowhereElse = 'only here for now: the shared state is unavailable, and the others follow when it is back'

/** Records that instances share. `read` and `write` reject while they are unavailable. */
export interface SharedRecords {
  read(name: string): Promise<{ value: string; version: number } | undefined>
  write(name: string, value: string): Promise<{ kind: 'written'; version: number } | { kind: 'lost' | 'conflict' }>
  /** Reports changes, also a connection after which there may be some. The returned function ends it. */
  watch(name: string, onChange: () => void): () => void
}

/** Switch of maintenance, for this instance or for all. */
export interface MaintenanceSwitch {
  turnOn(options: MaintenanceOptions): Outcome | Promise<Outcome>
  turnOff(): Outcome | Promise<Outcome>
}

/** Switch for all instances with one shared state, as a subject of a run. */
export interface SharedMaintenance extends MaintenanceSwitch {
  readonly name: string
  quiesce(): void
}

/**
 * Shares the switch. Without Redis, the last known state stays, also across a restart, and what is switched here is passed on later: the last
 * change wins.
 */
export function shareMaintenance(
  maintenance: Pick<Maintenance, 'turnOn' | 'turnOff' | 'status' | 'adopt'>,
  state: SharedRecords,
): SharedMaintenance {
  let isUnshared = false
  let version: number | undefined
  let turn: Promise<unknown> = Promise.resolve()

  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = turn.then(step)
    turn = done.catch(() => {})
    return done
  }

  const present = () => JSON.stringify(maintenance.status().maintenance ?? null)

  async function share(): Promise<void> {
    isUnshared = true
    const written = await state.write(record, present())
    if (written.kind === 'written') version = written.version
    isUnshared = false
  }

  async function follow(): Promise<void> {
    if (isUnshared) return share()
    const found = await state.read(record)
    if (!found || found.version === version) return
    version = found.version
    if (found.value !== present()) maintenance.adopt(found.value === 'null' ? undefined : parseState(found.value))
  }

  async function afterwards(outcome: Outcome): Promise<Outcome> {
    try {
      await inTurn(share)
      return outcome
    } catch {
      return { ...outcome, message: `${outcome.message}\n  ${nowhereElse}` }
    }
  }

  // a failure ends with the next connection, which is reported too
  const stopWatching = state.watch(record, () => void inTurn(follow).catch(() => {}))
  void inTurn(follow).catch(() => {})
  return {
    name: 'shared maintenance',
    async turnOn(options) {
      const outcome = maintenance.turnOn(options)
      return outcome.ok ? afterwards(outcome) : outcome
    },
    turnOff: async () => afterwards(maintenance.turnOff()),
    quiesce: stopWatching,
  }
}
