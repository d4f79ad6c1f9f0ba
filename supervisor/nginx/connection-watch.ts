import { restTickMs, untilTick } from '../base/clock.ts'
import { gauge, type Metric } from '../base/metrics.ts'
import type { Runtime } from '../base/runtime.ts'
import { everyRequest } from './connections.ts'
import { quote } from './text.ts'

const everyMs = 5000
/** Share of the requests below which so few connections are open that nginx is not asked: a question takes as long as all else at rest. */
const fewShare = 0.25
/** Time after which nginx is asked in any case, in ms: connections may have run short between two ticks. */
const longestMs = 300_000
/** The same if open files are unknown. */
const unknownMs = 30_000
const noteEveryMs = 60_000
/** Share of the requests that nginx can process at which it is short of connections. */
const shortShare = 0.9

/** Open client connections of nginx. */
export interface ConnectionStatus {
  open: number
  /** Connections of all nginx workers, to clients and to apps. */
  limit: number
  /** Clients that nginx turned away because it had no connection left, since it started. */
  dropped: number
}

/** Connections that all nginx workers have together, and the requests that they can process. */
export interface ConnectionBounds {
  limit: number
  requests: number
}

/** Dependencies of `openConnectionWatch`. */
export interface ConnectionWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  bounds(): ConnectionBounds
  /** Open files of nginx's processes, which include its connections; undefined if unknown. */
  openFiles(): number | undefined
  /** Text of nginx's stub_status; undefined if nginx is unavailable. */
  read(): Promise<string | undefined>
}

/**
 * Server for the http block, on a unix socket that nginx inherits, with other locations of what nginx reports. It has no limit of requests,
 * so that it responds when all others are refused.
 */
export function renderConnectionStatus(socket: string, locations: readonly string[]): string[] {
  return [
    '',
    '# nginx.worker_connections',
    'server {',
    `    listen ${quote(`unix:${socket}`)} backlog=64;`,
    '    access_log off;',
    `    ${everyRequest}`,
    ...locations.map(line => `    ${line}`),
    '    location = / {',
    '        stub_status;',
    '    }',
    '    # not its numbers where requests are not counted',
    '    location / {',
    '        return 404;',
    '    }',
    '}',
  ]
}

/** Numbers in nginx's stub_status. */
export interface StubStatus {
  active: number
  accepted: number
  handled: number
  requests: number
  reading: number
  writing: number
  waiting: number
}

/** Numbers in the text of nginx's stub_status; undefined for another text. */
export function readStubStatus(text: string): StubStatus | undefined {
  const pattern =
    /^Active connections: (\d+)\s[^\n]*\n[^\n]*\n (\d+) (\d+) (\d+)\s*\nReading: (\d+) Writing: (\d+) Waiting: (\d+)/
  const numbers = pattern.exec(text)?.slice(1).map(Number)
  if (!numbers) return undefined
  const [active = 0, accepted = 0, handled = 0, requests = 0, reading = 0, writing = 0, waiting = 0] = numbers
  return { active, accepted, handled, requests, reading, writing, waiting }
}

/** Metrics with the names of nginx-prometheus-exporter, so that its dashboards work. */
function stubStatusMetrics(found: StubStatus | undefined): Metric[] {
  const nginx = (type: 'gauge' | 'counter', name: string, help: string, value: number): Metric => ({
    ...{ prefix: 'nginx_', type, name, help },
    samples: [{ labels: {}, value }],
  })
  if (!found) return [nginx('gauge', 'up', 'Whether nginx responds', 0)]
  return [
    nginx('gauge', 'up', 'Whether nginx responds', 1),
    nginx('counter', 'connections_accepted', 'Accepted client connections', found.accepted),
    nginx('gauge', 'connections_active', 'Active client connections', found.active),
    nginx('counter', 'connections_handled', 'Handled client connections', found.handled),
    nginx('gauge', 'connections_reading', 'Connections where nginx is reading the request header', found.reading),
    nginx('gauge', 'connections_waiting', 'Idle client connections', found.waiting),
    nginx('gauge', 'connections_writing', 'Connections where nginx is writing the response back', found.writing),
    nginx('counter', 'http_requests_total', 'Total http requests', found.requests),
  ]
}

/** Watch of nginx's connections. It logs at most one line a minute when they run short. */
export function openConnectionWatch({ clock, log, bounds, openFiles, read }: ConnectionWatchDeps) {
  let last: ConnectionStatus | undefined
  let stub: StubStatus | undefined
  let notedAt = Number.NEGATIVE_INFINITY
  let isClosed = false
  let askedAt = Number.NEGATIVE_INFINITY
  let cancel = () => {}

  async function ask(): Promise<void> {
    askedAt = clock.monotonic()
    const text = await read()
    stub = text === undefined ? undefined : readStubStatus(text)
    const { limit } = bounds()
    if (stub) note({ open: stub.active, dropped: stub.accepted - stub.handled, limit })
  }

  function areFew(): boolean {
    return (openFiles() ?? last?.open ?? Number.POSITIVE_INFINITY) < bounds().requests * fewShare
  }

  function isRecent(): boolean {
    return clock.monotonic() - askedAt < (openFiles() === undefined ? unknownMs : longestMs)
  }

  function schedule(afterMs: number): void {
    cancel = clock.after(untilTick(clock, afterMs), () => {
      if (areFew() && isRecent()) return schedule(restTickMs)
      void ask().then(() => {
        if (!isClosed) schedule(areFew() ? restTickMs : everyMs)
      })
    })
  }

  function note(now: ConnectionStatus): void {
    const dropped = now.dropped - (last?.dropped ?? 0)
    last = now
    const isShort = now.open >= bounds().requests * shortShare || dropped > 0
    if (!isShort || clock.monotonic() - notedAt < noteEveryMs) return
    notedAt = clock.monotonic()
    log.warn('nginx is short of connections: new requests get 503, or none is accepted', {
      open: now.open,
      limit: now.limit,
      dropped,
      fix: 'raise nginx.worker_connections, with the limit of open files (docker: --ulimit nofile) and the memory that this takes',
    })
  }

  function close(): void {
    isClosed = true
    cancel()
  }

  schedule(everyMs)

  return {
    name: 'connections',
    refresh: ask,
    status: () => (last ? { connections: last } : {}),
    metrics: (): Metric[] => [
      ...(Number.isFinite(askedAt) ? stubStatusMetrics(stub) : []),
      ...(last
        ? [
            gauge('nginx_connections', 'Open connections of clients to nginx', last.open),
            gauge('nginx_connections_limit', 'Connections that nginx may have to clients and apps', last.limit),
            {
              name: 'nginx_connections_dropped_total',
              type: 'counter' as const,
              help: 'Connections that nginx closed because it had none left',
              samples: [{ labels: {}, value: last.dropped }],
            },
          ]
        : []),
    ],
    quiesce: close,
    close,
  }
}
