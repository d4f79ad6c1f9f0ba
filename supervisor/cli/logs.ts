import { stripVTControlCharacters } from 'node:util'
import { exitCode, messageOf, OperatorError } from '../base/errors.ts'
import { formatEvent } from '../base/log.ts'
import { plainLine, plainText } from '../base/plain-text.ts'
import type { World } from '../base/world.ts'
import type { LogLine } from '../logs/log-ring.ts'
import { askAdmin, followAdmin } from '../run/adapters/admin-client.ts'
import type { RunEvent } from '../run/events.ts'
import { socketOf } from './control.ts'
import type { CommandLine } from './load.ts'
import { createPaint, type Paint } from './paint.ts'

interface Selection {
  follows: boolean
  level: string | undefined
  since: string | undefined
  /** Number of last items. */
  lines: string | undefined
  isJson: boolean
}

/** Parsed arguments of `monohull logs`. */
export interface LogsArguments extends Selection {
  source: string | undefined
  /** Regular expression. */
  grep: string | undefined
}

/** Parsed arguments of `monohull events`. */
export interface EventsArguments extends Selection {
  kind: string | undefined
}

const usualCount = '100'

interface Listing<Item> {
  /** `/logs` */
  path: string
  query: Record<string, string | undefined>
  matches(item: Item): boolean
  format(item: Item, paint: Paint): string
  /** Items of a complete response. */
  itemsOf(body: unknown): Item[]
  /** What to say after the items. */
  remark(body: unknown, shown: readonly Item[]): Promise<string | undefined> | string | undefined
}

/** Prints the last lines of the log, and with `follows` those that come. */
export async function showLogs(commandLine: CommandLine, world: World, given: LogsArguments): Promise<number> {
  const { source, level, since, grep } = given
  const pattern = grep === undefined ? undefined : parsePattern(grep)
  const socket = await socketOf(commandLine, world)
  return list<LogLine>(socket, world, given, {
    path: '/logs',
    query: { source, level, since },
    matches: ({ text }) => pattern === undefined || pattern.test(stripVTControlCharacters(text)),
    format: formatLine,
    itemsOf: body => (body as { lines: LogLine[] }).lines,
    async remark(body, shown) {
      const { missing } = body as { missing: string[] }
      const asksForNginx = /(^|,)(nginx|access)\b/.test(source ?? '')
      if (shown.length > 0 && !asksForNginx && !process.stderr.isTTY) return undefined
      if (shown.length > 0 || source === undefined) return missing.map(text => `monohull: ${text}\n`).join('')
      const all = (await askAdmin(socket, { method: 'GET', path: '/logs' })).body as { lines: LogLine[] }
      const sources = [...new Set(all.lines.map(line => line.source))].sort().join(', ')
      return [`no line of ${source}; there are lines of ${sources || 'nobody'}`, ...missing]
        .map(text => `monohull: ${text}\n`)
        .join('')
    },
  })
}

/** Prints the last events of the run, and with `follows` those that come. */
export async function showEvents(commandLine: CommandLine, world: World, given: EventsArguments): Promise<number> {
  const { kind, level, since } = given
  return list<RunEvent>(await socketOf(commandLine, world), world, given, {
    path: '/events',
    query: { kind, level, since },
    matches: () => true,
    format: formatRunEvent,
    itemsOf: body => (body as { events: RunEvent[] }).events,
    remark: (_body, shown) => (shown.length === 0 ? 'monohull: no such event\n' : undefined),
  })
}

async function list<Item extends { id: number }>(
  socket: string,
  world: World,
  { follows, since, lines, isJson, ...given }: Selection & { grep?: string | undefined },
  listing: Listing<Item>,
): Promise<number> {
  const paint = createPaint(process.stdout, world.env)
  const begunAt = new Date().toISOString()
  const count = lines ?? (since === undefined && given.grep === undefined ? usualCount : undefined)
  // the pattern is applied here, so the last lines that match it are found here
  const limit = given.grep === undefined ? count : undefined
  const { status, body } = await askAdmin(socket, { method: 'GET', path: pathOf(listing, { limit }) })
  if (status !== 200) throw refusal(status, body)
  const print = (item: Item) => {
    if (listing.matches(item))
      process.stdout.write(isJson ? `${JSON.stringify(item)}\n` : `${listing.format(item, paint)}\n`)
  }
  const items = listing.itemsOf(body)
  const shown = items.filter(listing.matches)
  for (const item of count === undefined ? shown : shown.slice(Math.max(0, shown.length - Number(count)))) print(item)
  const remark = isJson ? undefined : await listing.remark(body, shown)
  if (remark !== undefined && !(follows && shown.length === 0)) process.stderr.write(remark)
  if (!follows) return exitCode.ok
  const last = items.at(-1)?.id
  const from = last === undefined ? { since: begunAt } : { after: String(last) }
  await followAdmin(socket, pathOf(listing, { follow: 'true', ...from }), item => print(item as Item))
  process.stderr.write('monohull: the instance has ended\n')
  return exitCode.ok
}

function pathOf(
  { path, query }: Pick<Listing<never>, 'path' | 'query'>,
  more: Record<string, string | undefined>,
): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, ...more })) if (value !== undefined) params.set(name, value)
  return `${path}?${params}`
}

function refusal(status: number, body: unknown): OperatorError {
  const { message, reason, fix } = body as { message: string; reason: string; fix?: string }
  if (status === 404)
    return new OperatorError('the running instance is older than this command and does not know it', {
      fix: 'restart the instance',
      code: exitCode.failed,
    })
  return new OperatorError(`${message}: ${reason}`, { fix: fix ?? 'see monohull help', code: exitCode.usage })
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    throw new OperatorError(`--grep is not a regular expression: ${messageOf(error)}`, {
      fix: 'escape characters such as ( [ * with a backslash',
      code: exitCode.usage,
    })
  }
}

function formatLine({ time, source, level, text }: LogLine, paint: Paint): string {
  // a program's line states its level itself, if it has one
  const own = source === 'monohull' && level !== 'info' ? ` ${level}` : ''
  return `${paint.dim(time)} ${paint.bold(source)}${paint.byLevel(level, own)} | ${paint.byLevel(level, plainLine(text))}`
}

function formatRunEvent({ time, kind, level, message, fields }: RunEvent, paint: Paint): string {
  const mark = level === 'info' ? '' : `${level}: `
  return `${paint.dim(time)} ${paint.bold(kind.padEnd(11))} ${paint.byLevel(level, plainText(`${mark}${formatEvent(message, fields)}`))}`
}
