import { systemClock } from '../base/adapters/system-clock.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { World } from '../base/world.ts'
import { countConnections } from '../dynamic-routes/adapters/open-connections.ts'
import { readRoute } from '../dynamic-routes/route.ts'
import { type SwitchDeps, type SwitchPlan, switchRoute } from '../dynamic-routes/route-switch.ts'
import type { RequestCounts } from '../front/requests/request-counts.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { upstreamProbe } from '../upstreams/adapters/probe.ts'
import { printOutcome, socketOf } from './control.ts'
import { readDuration } from './duration-option.ts'
import type { OutputFormat } from './json.ts'
import type { CommandLine } from './load.ts'
import type { SwitchOptions } from './switch-options.ts'

const defaultTimeout = '30s'

interface SwitchArguments {
  action: string
  host: string
  target: string
  options: SwitchOptions
  format: OutputFormat
}

/** Runs `monohull routes set` with options: from this process, which is in the network of nginx, so that an interrupted one changes nothing more. */
export async function switchTarget(
  commandLine: CommandLine,
  world: World,
  { action, host, target, options, format }: SwitchArguments,
): Promise<number> {
  if (action !== 'set') throw wrongUsage(`${action} has no --${Object.keys(options)[0]}`, 'use it with routes set')
  const plan = readPlan(host, target, options)
  const socket = await socketOf(commandLine, world)
  const hook = world.env.MONOHULL_EVENT
  const name = encodeURIComponent(host)

  const deps: SwitchDeps = {
    clock: systemClock,
    async read() {
      const { status, body } = await askAdmin(socket, { method: 'GET', path: `/routes/${name}?value=true` })
      if (status !== 200)
        throw new OperatorError((body as { reason: string }).reason, { fix: 'see monohull routes list' })
      const { value } = body as { value: unknown }
      const reading = value === null ? undefined : readRoute(value)
      return reading?.ok ? reading.value : undefined
    },
    async set(value) {
      const path = `/routes/${name}/set?target=${encodeURIComponent(value)}`
      return (await askAdmin(socket, { method: 'POST', path, hook })).body as Outcome
    },
    failureOf: ({ address, port }, withinMs) =>
      upstreamProbe.failureOf({
        address,
        port,
        path: options.check ?? '/',
        host: host.replace(/^\*\./, 'www.'),
        tls: undefined,
        timeoutMs: withinMs,
      }),
    async inFlight(servers) {
      const { status, body } = await askAdmin(socket, { method: 'GET', path: '/requests' })
      const { addresses } = status === 200 ? (body as RequestCounts) : { addresses: [] }
      const counted = addresses.filter(({ address }) => servers.includes(address))
      // nginx counts also those that wait for a body, and the kernel also those of former nginx workers
      return Math.max(
        counted.reduce((sum, { count }) => sum + count, 0),
        countConnections(servers),
      )
    },
    report: text => process.stderr.write(`monohull: ${text}\n`),
  }
  return printOutcome(await switchRoute(plan, deps), format)
}

function readPlan(host: string, target: string, options: SwitchOptions): SwitchPlan {
  const { check, timeout, drain, weight, cookie } = options
  if (check?.includes('#'))
    throw wrongUsage(
      `--check ${JSON.stringify(check)} has a fragment, which clients never send`,
      'remove what begins with #, or write %23',
    )
  if (check !== undefined && !/^\/[\x21-\x7e]*$/.test(check))
    throw wrongUsage(`--check ${JSON.stringify(check)} is not a path`, 'write a path such as /readyz')
  if (timeout !== undefined && check === undefined)
    throw wrongUsage('--timeout has no effect without --check', 'add --check, or remove it')
  if (cookie && weight === undefined)
    throw wrongUsage('--cookie has no effect without --weight', 'add --weight, or remove it')
  return {
    host,
    target,
    isChecked: check !== undefined,
    timeoutMs: readDuration('--timeout', timeout ?? defaultTimeout),
    drainMs: drain === undefined ? 0 : readDuration('--drain', drain),
    share: weight === undefined ? undefined : { percent: readPercent(weight), isSticky: Boolean(cookie) },
  }
}

function readPercent(text: string): number {
  const percent = Number(/^(\d{1,2})%?$/.exec(text)?.[1])
  if (percent >= 1) return percent
  throw wrongUsage(
    `--weight ${JSON.stringify(text)} is not a part of the requests`,
    'write a percentage from 1% to 99%',
  )
}

function wrongUsage(problem: string, fix: string): OperatorError {
  return new OperatorError(problem, { fix, code: exitCode.usage })
}
