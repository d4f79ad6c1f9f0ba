/** Name, in the writable folder, of nginx's record of requests that a worker took and did not answer. */
export const unansweredName = 'unanswered.log'
/** A request that at least one worker took and did not answer, as nginx tells of it. */
export interface UnansweredRequest {
  method: string
  /** Without the query, in which secrets are. */
  path: string
  id: string
  /** Milliseconds since the Unix epoch. */
  loggedAt: number
  /** The tries that no worker answered. */
  dropped: { address: string; endedAt: number }[]
}

/** The end of a worker: where nginx found it, and when, in milliseconds since the Unix epoch. */
export interface WorkerDeath {
  /** All by which nginx reached it. */
  addresses: readonly string[]
  startedAt: number
  /** When its end was noticed. */
  at: number
}

/** nginx sees the connection close before the supervisor has read the last output of the dead. */
const noticedLateMs = 3000
const clocksApartMs = 500
/** nginx counts the time of each try in whole milliseconds. */
const roundedMs = 5
const longestPath = 200
const listed = 20

/** Reads lines of the format `monohull_unanswered`; what is none is passed over, since clients choose most of it. */
export function parseUnanswered(text: string): UnansweredRequest[] {
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : toRequest(JSON.parse(line))
    } catch {
      return [] // cut off at the beginning, or still being written
    }
  })
}

function toRequest(value: unknown): UnansweredRequest[] {
  if (typeof value !== 'object' || value === null) return []
  const read = (name: string) => String((value as Record<string, unknown>)[name] ?? '')
  const loggedAt = Number(read('at')) * 1000
  if (!(loggedAt > 0)) return []
  const [addresses, statuses, headerTimes, seconds] = ['addresses', 'statuses', 'header_times', 'seconds'].map(name =>
    // one for each try, as nginx lists them: ` : ` stands between those of two locations
    read(name).split(/, | : /),
  )
  let endedAt = loggedAt
  const dropped: UnansweredRequest['dropped'] = []
  for (let index = (addresses?.length ?? 0) - 1; index >= 0; index--) {
    if (statuses?.[index] === '502' && headerTimes?.[index] === '-')
      dropped.unshift({ address: addresses?.[index] ?? '', endedAt })
    endedAt -= (Number(seconds?.[index]) || 0) * 1000
  }
  return [
    {
      method: printable(read('method'), 20),
      path: printable(read('path'), longestPath),
      id: printable(read('id'), 40),
      loggedAt,
      dropped,
    },
  ]
}

/**
 * Takes the try that ended with this death, of each request that had one, and returns whose they were. What ended after the
 * start of a worker that followed at the same place is left to the death of that one, if it is among `others`.
 */
export function takeInFlight(
  requests: readonly UnansweredRequest[],
  death: WorkerDeath,
  others: readonly WorkerDeath[] = [],
): UnansweredRequest[] {
  const { addresses, startedAt, at } = death
  const followers = others.filter(other => other.startedAt > startedAt && sharesAddress(other, death))
  const from = Math.max(startedAt - roundedMs, at - noticedLateMs)
  const until = Math.min(at + clocksApartMs, ...followers.map(follower => follower.startedAt - roundedMs))
  return requests.filter(({ dropped }) => {
    const tries = dropped.filter(
      ({ address, endedAt }) => addresses.includes(address) && endedAt >= from && endedAt <= until,
    )
    // a request that was repeated may have met several deaths at the same place
    const [nearest] = tries.sort((a, b) => Math.abs(a.endedAt - at) - Math.abs(b.endedAt - at))
    if (nearest) dropped.splice(dropped.indexOf(nearest), 1)
    return nearest !== undefined
  })
}

function sharesAddress(one: WorkerDeath, other: WorkerDeath): boolean {
  return one.addresses.some(address => other.addresses.includes(address))
}

/** For the record of a death: `POST /orders 5e1a…`, at most twenty of them. */
export function describeInFlight(requests: readonly UnansweredRequest[]): string[] {
  const texts = requests.slice(0, listed).map(({ method, path, id }) => `${method} ${path} ${id}`)
  return requests.length > listed ? [...texts, `and ${requests.length - listed} more`] : texts
}

/** Anybody can send any path: no line breaks or control characters get from it into a log or a terminal. */
function printable(text: string, longest: number): string {
  const escaped = text.replaceAll(/[^\x21-\x7e]/g, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return escaped.length > longest ? `${escaped.slice(0, longest)}…` : escaped
}
