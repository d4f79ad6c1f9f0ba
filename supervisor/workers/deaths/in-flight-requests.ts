/** File name, in `run_dir`, of nginx's log of requests that a worker accepted but did not respond to. */
export const unansweredName = 'unanswered.log'

/** A request that at least one worker accepted but did not respond to, from nginx's log. */
export interface UnansweredRequest {
  method: string
  /** Path without the query, which may contain secrets. */
  path: string
  id: string
  /** Time of the log line, in ms since the Unix epoch. */
  loggedAt: number
  /** Tries without a response. */
  dropped: { address: string; endedAt: number }[]
}

/** Death of a worker: its addresses and its lifetime. Times in ms since the Unix epoch. */
export interface WorkerDeath {
  /** All addresses at which nginx reached it. */
  addresses: readonly string[]
  startedAt: number
  /** Time at which its end was noticed. */
  at: number
}

/** Maximum delay between the closed connection, which nginx sees, and the worker's last output, after which its end is noticed. */
const noticedLateMs = 3000
const clocksApartMs = 500
/** Tolerance for rounding: nginx measures each try in whole milliseconds. */
const roundedMs = 5
const longestPath = 200
const listed = 20

/** Requests from lines of the log format `monohull_unanswered`. Invalid lines are skipped: clients choose most of the text. */
export function parseUnanswered(text: string): UnansweredRequest[] {
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : toRequest(JSON.parse(line))
    } catch {
      return [] // a partial line
    }
  })
}

function toRequest(value: unknown): UnansweredRequest[] {
  if (typeof value !== 'object' || value === null) return []
  const read = (name: string) => String((value as Record<string, unknown>)[name] ?? '')
  const loggedAt = Number(read('at')) * 1000
  if (!(loggedAt > 0)) return []
  const [addresses, statuses, headerTimes, seconds] = ['addresses', 'statuses', 'header_times', 'seconds'].map(name =>
    // one per try, as nginx lists them; ` : ` separates those of two locations
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
 * Requests that were in flight in a death. Removes the matching try from each of them, so that no other death gets it. A try
 * that ended after the start of a successor at the same address is left to the successor's death, if that is among `others`.
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
    // a request that was retried may have been in several deaths at the same address
    const [nearest] = tries.sort((a, b) => Math.abs(a.endedAt - at) - Math.abs(b.endedAt - at))
    if (nearest) dropped.splice(dropped.indexOf(nearest), 1)
    return nearest !== undefined
  })
}

function sharesAddress(one: WorkerDeath, other: WorkerDeath): boolean {
  return one.addresses.some(address => other.addresses.includes(address))
}

/** Texts for the record of a death, `POST /orders 5e1a…`: at most twenty, and the number of the others. */
export function describeInFlight(requests: readonly UnansweredRequest[]): string[] {
  const texts = requests.slice(0, listed).map(({ method, path, id }) => `${method} ${path} ${id}`)
  return requests.length > listed ? [...texts, `and ${requests.length - listed} more`] : texts
}

/** Text with everything but visible ASCII escaped: clients choose the path, and it must not control a log or a terminal. */
export function printable(text: string, longest: number): string {
  const escaped = text.replaceAll(/[^\x21-\x7e]/g, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return escaped.length > longest ? `${escaped.slice(0, longest)}…` : escaped
}
