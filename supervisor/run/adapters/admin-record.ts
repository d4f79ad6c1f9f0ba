import type { Express, Request, Response } from 'express'
import { systemClock } from '../../base/adapters/system-clock.ts'
import type { LogLine } from '../../logs/log-ring.ts'
import type { RunEvent } from '../events.ts'
import type { RunRecord } from '../record.ts'
import { type ParsedQuery, parseEventQuery, parseLogQuery, type RecordQuery } from '../record-query.ts'

/** Bytes that may wait for a follower; what comes beyond them is left out. */
const queueBytes = 1 << 18

interface Source<Filter, Item> {
  parse(query: RecordQuery, now: number): ParsedQuery<Filter>
  read(filter: Filter, limit: number | undefined): Item[]
  follow(filter: Filter, onItem: (item: Item) => void): () => void
  /** Body of a response that is complete. */
  body(items: Item[]): object
  /** What a follower gets in place of items that were left out, before `next`. */
  gap(count: number, next: Item): Item
}

/**
 * Adds `GET /logs`, `/events`, `/deaths` and `/deaths/ID`. With `follow=true`, the first two respond with a JSON object per line, first what is
 * there and then what comes, until the client closes the connection; a client that reads too slowly misses some.
 */
export function addRecordRoutes(app: Express, { logs, events, deaths, missing }: RunRecord): void {
  const logSource: Source<Parameters<typeof logs.read>[0] & object, LogLine> = {
    parse: parseLogQuery,
    read: logs.read,
    follow: logs.follow,
    body: lines => ({ lines, missing }),
    gap: (count, { id, time }) => ({ id, time, source: 'monohull', level: 'warn', text: leftOut(count, 'lines') }),
  }
  const eventSource: Source<Parameters<typeof events.read>[0] & object, RunEvent> = {
    parse: parseEventQuery,
    read: events.read,
    follow: events.follow,
    body: found => ({ events: found }),
    gap: (count, { id, time }) => ({
      id,
      time,
      kind: 'other',
      level: 'warn',
      message: leftOut(count, 'events'),
      fields: {},
    }),
  }
  app.get('/logs', (request, response) => respond(logSource, request, response))
  app.get('/events', (request, response) => respond(eventSource, request, response))
  app.get('/deaths', (request, response) => {
    const { worker } = request.query
    response.json({ deaths: deaths.read(typeof worker === 'string' ? worker : undefined) })
  })
  app.get('/deaths/:id', (request, response) => {
    const { id } = request.params
    const found = deaths.get(Number(id))
    if (found) return void response.json(found)
    const known = deaths.read().map(one => one.id)
    const fix =
      known.length === 0 ? 'no death is on record' : `on record: ${[...new Set([known[0], known.at(-1)])].join(' to ')}`
    response.status(404).json({ ok: false, message: 'cannot read a death', reason: `${id} is not on record`, fix })
  })
}

function leftOut(count: number, what: string): string {
  return `${count} ${what} left out: they came faster than they were read`
}

function respond<Filter, Item extends { id: number }>(
  source: Source<Filter, Item>,
  { query, path }: Request,
  response: Response,
): void {
  const parsed = source.parse(query, systemClock.now())
  if (!parsed.ok) {
    const { reason, fix } = parsed
    response.status(400).json({ ok: false, message: `cannot read ${path.slice(1)}`, reason, fix })
    return
  }
  const { filter, limit, follows } = parsed
  if (!follows) {
    response.json(source.body(source.read(filter, limit)))
    return
  }
  response.type('application/x-ndjson')
  response.flushHeaders()
  for (const item of source.read(filter, limit)) response.write(`${JSON.stringify(item)}\n`)
  let missed = 0
  const end = source.follow(filter, item => {
    if (response.writableLength > queueBytes) {
      missed++
      return
    }
    if (missed > 0) response.write(`${JSON.stringify(source.gap(missed, item))}\n`)
    missed = 0
    response.write(`${JSON.stringify(item)}\n`)
  })
  response.once('close', end)
}
