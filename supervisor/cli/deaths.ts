import { formatDuration } from '../base/duration.ts'
import { exitCode } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { plainText } from '../base/plain-text.ts'
import { formatTable } from '../base/text-table.ts'
import type { World } from '../base/world.ts'
import { tellingLine } from '../processes/last-death.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import type { DeathRecord } from '../run/deaths.ts'
import { printOutcome, socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'

/** Prints the last deaths, those of a worker, process or app, or all about the one with a number. */
export async function showDeaths(
  commandLine: CommandLine,
  world: World,
  which: string | undefined,
  isJson: boolean,
): Promise<number> {
  const socket = await socketOf(commandLine, world)
  if (which !== undefined && /^\d+$/.test(which)) {
    const { status, body } = await askAdmin(socket, { method: 'GET', path: `/deaths/${which}` })
    if (status !== 200) {
      const { fix, ...outcome } = body as Extract<Outcome, { ok: false }> & { fix?: string }
      return printOutcome(
        isJson ? (body as Outcome) : { ...outcome, reason: `${outcome.reason}; ${fix}` },
        isJson ? 'json' : 'text',
      )
    }
    process.stdout.write(isJson ? toJson(body) : plainText(formatDeath(body as DeathRecord)))
    return exitCode.ok
  }
  const query = which === undefined ? '' : `?worker=${encodeURIComponent(which)}`
  const { body } = await askAdmin(socket, { method: 'GET', path: `/deaths${query}` })
  const { deaths } = body as { deaths: DeathRecord[] }
  process.stdout.write(isJson ? toJson(deaths) : formatDeaths(deaths, which))
  return exitCode.ok
}

function formatDeaths(deaths: readonly DeathRecord[], which: string | undefined): string {
  if (deaths.length === 0) return `no deaths${which === undefined ? '' : ` of ${which}`} since startup\n`
  const rows = deaths.map(({ id, time, name, exit, uptimeMs, reason, requests, lines }) => [
    String(id),
    time,
    name,
    exit,
    uptimeMs === undefined ? '-' : formatUptime(uptimeMs),
    String(requests.length),
    shorten(reason ?? tellingLine(lines) ?? ''),
  ])
  const table = formatTable([['ID', 'TIME', 'NAME', 'EXIT', 'UP', 'REQUESTS', 'WHY'], ...rows])
  return `${table}monohull deaths ID shows the last lines and the requests of one\n`
}

const longest = 80
const shorten = (text: string) => (text.length > longest ? `${text.slice(0, longest)}…` : text)

/** Uptime in whole seconds once it has a minute: `2m5s` says enough. */
function formatUptime(uptimeMs: number): string {
  if (uptimeMs < 60_000) return formatDuration(uptimeMs)
  const seconds = Math.floor(uptimeMs / 1000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}d${hours}h`
  return hours > 0 ? `${hours}h${minutes}m` : `${minutes}m${seconds % 60}s`
}

function formatDeath(death: DeathRecord): string {
  const { id, time, name, pid, exit, reason, uptimeMs, decision, stack, requests, notRetried, lines } = death
  const facts = [
    ['death', String(id)],
    ['name', pid === undefined ? name : `${name}, pid ${pid}`],
    ['time', time],
    ['exit', exit],
    ['reason', reason],
    ['uptime', uptimeMs === undefined ? undefined : formatUptime(uptimeMs)],
    ['then', decision],
  ].filter((row): row is [string, string] => row[1] !== undefined)
  const part = (title: string, items: readonly string[]) =>
    items.length === 0 ? '' : `${title}\n${items.map(item => `    ${item}\n`).join('')}`
  return [
    formatTable(facts),
    part('requests in flight', requests),
    part('not retried', notRetried),
    part('stack', stack),
    part(`last ${lines.length} lines`, lines),
    lines.length === 0 ? 'it printed nothing\n' : '',
  ].join('')
}
