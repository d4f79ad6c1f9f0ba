import { systemClock } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import { plainText } from '../base/plain-text.ts'
import type { World } from '../base/world.ts'
import { askAdmin, readAdmin } from '../run/adapters/admin-client.ts'
import { type ClusterMember, formatCluster } from '../run/cluster.ts'
import { formatStatus, type Status } from '../run/status.ts'
import { socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'
import { createPaint, type Paint } from './paint.ts'

/** Parsed arguments of `monohull status`. */
export interface StatusArguments {
  format: 'table' | 'json' | 'metrics'
  /** Whether it lists the instances with the same shared state. */
  isOfCluster: boolean
  /** Interval in ms at which it is shown again until Ctrl-C; undefined: once. */
  watchMs: number | undefined
}

const usualRows = 24
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/** Prints the status of the running instance: a table, the JSON of the admin API, or metrics for Prometheus. */
export async function showStatus(
  commandLine: CommandLine,
  world: World,
  { format, watchMs, isOfCluster }: StatusArguments,
): Promise<number> {
  const socket = await socketOf(commandLine, world)
  if (format === 'metrics') {
    process.stdout.write(await readAdmin(socket, '/metrics'))
    return exitCode.ok
  }
  const paint = createPaint(process.stdout, world.env)
  const textOf = isOfCluster ? clusterText : statusText
  const path = isOfCluster ? '/cluster' : '/status'
  const read = async () => {
    const { status, body } = await askAdmin(socket, { method: 'GET', path })
    if (status === 200) return body
    const { message, reason = '' } = body as { message: string; reason?: string }
    throw new OperatorError(`${message}: ${reason}`, { fix: 'docs/guide/scaling.md explains shared_state' })
  }
  if (watchMs === undefined) {
    const body = await read()
    process.stdout.write(format === 'json' ? toJson(body) : paintStatus(textOf(body), paint))
    return exitCode.ok
  }
  for (;;) {
    const body = await read()
    if (format === 'json') process.stdout.write(`${JSON.stringify(body)}\n`)
    else redraw(paintStatus(textOf(body), paint))
    await pause(systemClock, watchMs)
  }
}

const statusText = (body: unknown) => plainText(formatStatus(body as Status))
const clusterText = (body: unknown) => plainText(formatCluster(body as ClusterMember[]))

/** Shows a text in place of the one before; elsewhere than on a terminal, below it. */
function redraw(text: string): void {
  const { isTTY } = process.stdout
  if (!isTTY) {
    process.stdout.write(`${text}\n`)
    return
  }
  // some terminals say 0
  const rows = process.stdout.rows || usualRows
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(0, Math.max(1, rows - 1))
  process.stdout.write(home + lines.map(line => `${line}${clearLine}\n`).join('') + clearBelow)
}

/** Colours of a status. They are added last, because they would count as width of a column. */
function paintStatus(text: string, paint: Paint): string {
  return text
    .split('\n')
    .map(line => {
      if (/^monohull /.test(line))
        return line.replace(/^monohull \w+( \w+)?(?=,)/, line.startsWith('monohull ready') ? paint.good : paint.bad)
      if (/^[A-Z]+ {2,}[A-Z]/.test(line)) return paint.bold(line)
      if (/^warning: /.test(line)) return paint.byLevel('warn', line)
      if (/^\S+ died at |^not served: |^last attempt failed: /.test(line)) return paint.bad(line)
      return line
        .replace(/(?<=^\S+ +)(serving|running)(?= )/, paint.good)
        .replace(/(?<=^\S+ +)(not accepting|waiting|withdrawn|booting|failed)(?= )/, paint.bad)
    })
    .join('\n')
}
