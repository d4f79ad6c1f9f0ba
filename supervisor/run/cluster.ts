import { formatTable } from '../base/text-table.ts'
import type { SharedState } from '../shared-state/state.ts'
import type { Events } from './events.ts'
import type { Status } from './status.ts'

/** Age of the last sign of life from which on an instance counts as gone: three are missing. */
const goneMs = 30_000
const shownEvents = 3
const longestText = 200

/** Instance in `monohull status --cluster`, as it described itself at its last sign of life. */
export interface ClusterMember {
  id: string
  host: string
  version: string
  /** gone: it has not given a sign of life for 30 s. */
  state: Status['state'] | 'gone'
  /** Workers that are ready, of all. */
  workers: { ready: number; all: number }
  /** ISO 8601. */
  startedAt: string
  secondsSinceSeen: number
  /** Whether it is the instance that was asked. */
  isThis: boolean
  /** Its last events, the newest last. */
  events: { time: string; message: string; subject?: string | undefined }[]
}

/** What an instance says about itself. */
type Introduction = Omit<ClusterMember, 'id' | 'isThis' | 'secondsSinceSeen'>

/** Inputs to `introduction`. */
export interface IntroductionInputs {
  host: string
  version: string
  now: number
  status: Pick<Status, 'state' | 'workers' | 'uptimeSeconds'>
  events: Pick<Events, 'read'>
}

/** What this instance says about itself to the others. */
export function introduction({ host, version, now, status, events }: IntroductionInputs): Record<string, unknown> {
  const told: Introduction = {
    host,
    version,
    state: status.state,
    workers: {
      ready: status.workers.filter(({ isInRotation }) => isInRotation).length,
      all: status.workers.length,
    },
    startedAt: new Date(now - status.uptimeSeconds * 1000).toISOString(),
    events: events.read({}, shownEvents).map(({ time, message, subject }) => ({
      time,
      message: message.slice(0, longestText),
      ...(subject === undefined ? {} : { subject }),
    })),
  }
  return { ...told }
}

/** Instances with the same shared state, by host. Rejects while it is unavailable. */
export async function listCluster({ id: own, members }: Pick<SharedState, 'id' | 'members'>): Promise<ClusterMember[]> {
  const all = await members()
  return all
    .map(({ id, ageMs, info }) => {
      const told = info as Partial<Introduction>
      return {
        id,
        host: told.host ?? '?',
        version: told.version ?? '?',
        state: ageMs >= goneMs ? 'gone' : (told.state ?? 'not ready'),
        workers: told.workers ?? { ready: 0, all: 0 },
        startedAt: told.startedAt ?? '',
        secondsSinceSeen: Math.round(ageMs / 1000),
        isThis: id === own,
        events: told.events ?? [],
      } satisfies ClusterMember
    })
    .sort((one, other) => (one.host === other.host ? (one.id < other.id ? -1 : 1) : one.host < other.host ? -1 : 1))
}

/** Instances as a text table. */
export function formatCluster(members: readonly ClusterMember[]): string {
  const rows = members.map(({ host, isThis, version, state, workers, startedAt, secondsSinceSeen, events }) => {
    const last = events.at(-1)
    return [
      `${host}${isThis ? ' *' : ''}`,
      version,
      state,
      `${workers.ready}/${workers.all}`,
      startedAt,
      `${secondsSinceSeen} s ago`,
      last ? `${last.time} ${last.message}${last.subject === undefined ? '' : ` (${last.subject})`}` : '-',
    ]
  })
  return `${formatTable([['INSTANCE', 'VERSION', 'STATE', 'READY', 'STARTED', 'SEEN', 'LAST EVENT'], ...rows])}* this instance\n`
}
