import { type Clock, onTicks, untilTick } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Columns, createHistory } from './history.ts'
import { type Point, pointBetween, type Reading } from './point.ts'

const secondMs = 1000
const minuteMs = 60_000
const secondsKept = 600
const minutesKept = 1440
/** Time for which samples go on after the last page is gone: it may be about to come back. */
const lingerMs = 30_000
/** Most lines of the log in one message. */
const mostLines = 300

/** Line of the log or of the events, with a number that grows. */
export interface Numbered {
  id: number
}

/** Lines since a number, the newest at most `limit`. */
type ReadSince = (after: number, limit: number) => readonly Numbered[]

/** What the feed shows. */
export interface FeedSources {
  /** Counts and figures of the moment; asked once a minute while nobody looks. */
  read(): Promise<Omit<Reading, 'at'>>
  /** Upper bounds of the buckets of durations, in seconds. */
  bounds: readonly number[]
  /** Everything else, in sections of which only those that have changed are sent. */
  sections(): Promise<Record<string, unknown>>
  logs: ReadSince
  events: ReadSince
}

/** What a page has received, so that it gets the rest. */
export interface Position {
  /** Run that the numbers belong to. */
  run: string
  /** Time of the last sample, in ms since the Unix epoch. */
  at: number
  log: number
  event: number
}

/** Message to a page. */
export interface FeedMessage {
  at: number
  /** Whether what the page has is of another run, or too old. */
  isFresh: boolean
  sections: Record<string, unknown>
  seconds: Columns
  minutes: Columns
  logs: readonly Numbered[]
  events: readonly Numbered[]
}

/** Samples that all open pages share. */
export interface Feed {
  /** Passes the text of each message, and the position after it. The first follows at once. Returns a function that ends it. */
  subscribe(listener: Listener, from: Position | undefined): () => void
  close(): void
}

type Listener = (text: string, position: Position) => void

/** Dependencies of `createFeed`. */
export interface FeedDeps {
  clock: Clock
  log: Log
  sources: FeedSources
  /** Name of this run. */
  run: string
  /** Whether a point of each minute is kept while nobody looks. */
  keepsMinutes(): boolean
  /** Called when nobody has looked for a while. */
  onUnwatched(): void
}

/** Feed without pages. It takes a sample each second while one is open, and one each minute otherwise if `keepsMinutes`. */
export function createFeed({ clock, log, sources, run, keepsMinutes, onUnwatched }: FeedDeps): Feed {
  const seconds = createHistory(secondsKept)
  const minutes = createHistory(minutesKept)
  const listeners = new Set<Listener>()
  const waiting = new Map<Listener, Position | undefined>()
  let sections = new Map<string, string>()
  let lastSecond: Reading | undefined
  let lastMinute: Reading | undefined
  let position: Position = { run, at: 0, log: 0, event: 0 }
  let watchedAt = Number.NEGATIVE_INFINITY
  let isSampling = false
  let hasFailed = false
  let cancel = () => {}
  const endMinutes = onTicks(clock, minuteMs, readMinute)
  void readMinute()

  async function readMinute(): Promise<void> {
    if (keepsMinutes() && !isSampling) await attempt(async () => keepMinute(await readNow()))
  }

  function keepMinute(now: Reading): void {
    const passed = lastMinute ? now.at - lastMinute.at : Number.POSITIVE_INFINITY
    if (passed < minuteMs - secondMs / 2) return
    if (lastMinute && passed < 2 * minuteMs) minutes.add(clock.now(), pointBetween(lastMinute, now, sources.bounds))
    lastMinute = now
  }

  async function readNow(): Promise<Reading> {
    const found = await sources.read()
    return { ...found, at: clock.monotonic() }
  }

  async function attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task()
      hasFailed = false
    } catch (error) {
      if (!hasFailed) log.warn('cannot take a sample for the status page', { reason: messageOf(error) })
      hasFailed = true
    }
  }

  async function sample(): Promise<void> {
    const [now, found] = await Promise.all([readNow(), sources.sections()])
    const point =
      lastSecond && now.at - lastSecond.at < lingerMs ? pointBetween(lastSecond, now, sources.bounds) : undefined
    lastSecond = now
    const at = clock.now()
    if (point) seconds.add(at, point)
    keepMinute(now)
    const texts = new Map(Object.entries(found).map(([name, value]) => [name, JSON.stringify(value) ?? 'null']))
    const changed = [...texts].filter(([name, text]) => sections.get(name) !== text)
    sections = texts
    send(at, changed, point)
  }

  function send(at: number, changed: [string, string][], point: Point | undefined): void {
    const before = position
    const logs = sources.logs(before.log, mostLines)
    const events = sources.events(before.event, mostLines)
    position = { run, at, log: logs.at(-1)?.id ?? before.log, event: events.at(-1)?.id ?? before.event }
    const newest = minutes.after(before.at)
    const text = textOf(
      { at, isFresh: false, seconds: point ? seconds.after(before.at) : [], minutes: newest, logs, events },
      changed,
    )
    for (const listener of listeners) listener(text, position)
    const first = [...waiting]
    waiting.clear()
    for (const [listener, from] of first) welcome(listener, from)
  }

  /** Sends everything, or what a page that comes back has missed. */
  function welcome(listener: Listener, from: Position | undefined): void {
    const known = from?.run === run && from.log <= position.log && from.event <= position.event ? from : undefined
    listeners.add(listener)
    const text = textOf(
      {
        at: position.at,
        isFresh: known === undefined,
        seconds: seconds.after(known?.at ?? 0),
        minutes: minutes.after(known?.at ?? 0),
        logs: sources.logs(known?.log ?? 0, mostLines),
        events: sources.events(known?.event ?? 0, mostLines),
      },
      [...sections],
    )
    listener(text, position)
  }

  function schedule(): void {
    cancel = clock.after(untilTick(clock, secondMs), () => {
      const isWatched = listeners.size + waiting.size > 0
      if (isWatched) watchedAt = clock.monotonic()
      if (isWatched || clock.monotonic() - watchedAt <= lingerMs) return begin()
      isSampling = false
      onUnwatched()
    })
  }

  function begin(): void {
    isSampling = true
    void attempt(sample).then(() => {
      if (isSampling) schedule()
    })
  }

  return {
    subscribe(listener, from) {
      if (isSampling && sections.size > 0) welcome(listener, from)
      else waiting.set(listener, from)
      if (!isSampling) begin()
      return () => {
        listeners.delete(listener)
        waiting.delete(listener)
      }
    },
    close() {
      isSampling = false
      cancel()
      endMinutes()
    },
  }
}

function textOf(message: Omit<FeedMessage, 'sections'>, sections: readonly [string, string][]): string {
  const own = sections.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')
  return `${JSON.stringify(message).slice(0, -1)},"sections":{${own}}}`
}
