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
  /** Id of its run: another one after each start. */
  id: string
  /** Id that stays after a restart with the same state_dir and host name. */
  instance: string
  /** Host name; in Kubernetes that of the Pod. */
  host: string
  version: string
  /** gone: it has not given a sign of life for 30 s. */
  state: Status['state'] | 'gone'
  /** Workers that are ready, of all. */
  workers: { ready: number; all: number }
  /** ISO 8601. */
  startedAt: string
  /** Last sign of life, by the clock of the instance that was asked; ISO 8601. */
  seenAt: string
  secondsSinceSeen: number
  /** Whether it is the instance that was asked. */
  isThis: boolean
  /** Its last events, the newest last. */
  events: { time: string; message: string; subject?: string | undefined }[]
}

/** What an instance says about itself. */
interface Introduction extends Omit<ClusterMember, 'id' | 'isThis' | 'seenAt' | 'secondsSinceSeen'> {
  /** Time of this, by its own clock; ISO 8601. */
  toldAt: string
}

/** Inputs to `introduction`. */
export interface IntroductionInputs {
  instance: string
  host: string
  version: string
  /** Time of its start, and the present time; both by its own clock, in ms since the Unix epoch. */
  startedAt: number
  now: number
  status: Pick<Status, 'state' | 'workers'>
  events: Pick<Events, 'read'>
}

/** What this instance says about itself to the others. */
export function introduction(inputs: IntroductionInputs): Record<string, unknown> {
  const { instance, host, version, startedAt, now, status, events } = inputs
  const told: Introduction = {
    instance,
    host,
    version,
    state: status.state,
    workers: {
      ready: status.workers.filter(({ isInRotation }) => isInRotation).length,
      all: status.workers.length,
    },
    startedAt: new Date(startedAt).toISOString(),
    toldAt: new Date(now).toISOString(),
    events: events.read({}, shownEvents).map(({ time, message, subject }) => ({
      time,
      message: message.slice(0, longestText),
      ...(subject === undefined ? {} : { subject }),
    })),
  }
  return { ...told }
}

/**
 * Instances with the same shared state, by host. One that was killed is left out as soon as it has started again. Rejects while the shared state is
 * unavailable. `now` is in ms since the Unix epoch.
 */
export async function listCluster(
  { id: own, members }: Pick<SharedState, 'id' | 'members'>,
  now: number,
): Promise<ClusterMember[]> {
  const all = (await members()).map(({ id, ageMs, info }) => {
    const { toldAt = '', ...told } = info as Partial<Introduction>
    const member: ClusterMember = {
      id,
      instance: told.instance ?? id.slice(0, 8),
      host: told.host ?? '?',
      version: told.version ?? '?',
      state: ageMs >= goneMs ? 'gone' : (told.state ?? 'not ready'),
      workers: told.workers ?? { ready: 0, all: 0 },
      startedAt: told.startedAt ?? '',
      seenAt: new Date(now - ageMs).toISOString(),
      secondsSinceSeen: Math.round(ageMs / 1000),
      isThis: id === own,
      events: told.events ?? [],
    }
    return { member, toldAt }
  })
  const latest = new Map<string, ClusterMember>()
  for (const { member } of all) {
    const known = latest.get(member.instance)
    if (!known || known.startedAt < member.startedAt) latest.set(member.instance, member)
  }
  return all
    .filter(({ member: { id, instance }, toldAt }) => {
      // both times are of one host's clock
      const last = latest.get(instance)
      return !last || last.id === id || last.startedAt < toldAt
    })
    .map(({ member }) => member)
    .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1))
}

function placeOf({ host, instance, id }: ClusterMember): string {
  return `${host} ${instance} ${id}`
}

/** Instances as a text table. */
export function formatCluster(members: readonly ClusterMember[]): string {
  const rows = members.map(member => {
    const { host, instance, isThis, version, state, workers, startedAt, secondsSinceSeen, events } = member
    const last = events.at(-1)
    return [
      host,
      `${instance}${isThis ? ' *' : ''}`,
      version,
      state,
      `${workers.ready}/${workers.all}`,
      startedAt,
      `${secondsSinceSeen} s ago`,
      last ? `${last.time} ${last.message}${last.subject === undefined ? '' : ` (${last.subject})`}` : '-',
    ]
  })
  const heading = ['HOST', 'INSTANCE', 'VERSION', 'STATE', 'READY', 'STARTED', 'SEEN', 'LAST EVENT']
  return `${formatTable([heading, ...rows])}* this instance\n`
}
