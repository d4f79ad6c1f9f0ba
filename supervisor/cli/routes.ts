import { readFileSync } from 'node:fs'
import { exitCode, messageOf, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { formatTable } from '../base/text-table.ts'
import type { World } from '../base/world.ts'
import { type AdminRequest, askAdmin } from '../run/adapters/admin-client.ts'
import { command, printOutcome, socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'
import { type SwitchOptions, switchOptions } from './switch-options.ts'

/** Parsed arguments of `monohull routes`. */
export interface RoutesArguments {
  action: string
  words: string[]
  isJson: boolean
  /** Pattern of hosts for `list`. */
  match: string | undefined
  /** Options of `set`. */
  options: SwitchOptions
}

interface ListedRoute {
  host: string
  target: string
  problem?: string
}

interface ShownRoute extends ListedRoute {
  name: string
  source: string
  ageSeconds?: number
  expiresInSeconds?: number
}

/** Arguments of the actions. */
const usage: Record<string, string> = {
  list: '',
  get: ' HOST',
  set: ' HOST TARGET…',
  remove: ' HOST',
  import: ' FILE',
  export: '',
}

/** A store with a million routes needs some time. */
const readTimeoutMs = 300_000

/** Runs an action of `monohull routes` for the running instance. */
export async function routes(commandLine: CommandLine, world: World, given: RoutesArguments): Promise<number> {
  const { action, words, isJson, match, options } = given
  const format = isJson ? 'json' : 'text'
  expectWords(action, words)
  const [host = '', ...targets] = words
  const name = encodeURIComponent(host)
  if (Object.keys(options).some(key => switchOptions.includes(key))) {
    const { switchTarget } = await import('./route-switch.ts')
    return switchTarget(commandLine, world, { action, host, target: targets.join(' '), options, format })
  }
  if (action === 'set')
    return command(commandLine, world, `routes/${name}/set?target=${encodeURIComponent(targets.join(' '))}`, format)
  if (action === 'remove') return command(commandLine, world, `routes/${name}/remove`, format)
  const socket = await socketOf(commandLine, world)
  if (action === 'import') {
    const request = { method: 'POST' as const, path: '/routes', hook: world.env.MONOHULL_EVENT, body: readFile(host) }
    return printOutcome((await askAdmin(socket, request)).body as Outcome, format)
  }
  const path = {
    list: match === undefined ? '/routes' : `/routes?match=${encodeURIComponent(match)}`,
    get: `/routes/${name}`,
    export: '/routes?export=true',
  }[action]
  const request: AdminRequest = { method: 'GET', path: path ?? '/routes', timeoutMs: readTimeoutMs }
  const { status, body } = await askAdmin(socket, request)
  if (status !== 200) return printOutcome(body as Outcome, format)
  const show = isJson || action === 'export' ? toJson : action === 'get' ? formatRoute : formatRoutes
  process.stdout.write(show(body as never))
  return exitCode.ok
}

function expectWords(action: string, { length }: readonly string[]): void {
  const text = usage[action] ?? ''
  const expected = text.split(' ').length - 1
  if (length === expected || (length > expected && text.endsWith('…'))) return
  const needed = `${expected || 'no'} ${expected === 1 ? 'argument' : 'arguments'}`
  throw new OperatorError(`monohull routes ${action} needs ${needed}, got ${length}`, {
    fix: `monohull routes ${action}${text}`,
    code: exitCode.usage,
  })
}

function readFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    const fix = 'name a readable file, or - for standard input'
    throw new OperatorError(`cannot read ${path}: ${messageOf(error)}`, { fix, code: exitCode.failed })
  }
}

function formatRoutes(all: readonly ListedRoute[]): string {
  if (all.length === 0) return 'no dynamic routes\n'
  const rows = all.map(({ host, target, problem }) => [host, target, problem ?? ''])
  return formatTable([['HOST', 'TARGET', ''], ...rows])
}

function formatRoute({ host, name, target, source, ageSeconds, expiresInSeconds, problem }: ShownRoute): string {
  const age = ageSeconds === undefined ? 'not yet requested' : `read ${ageSeconds} s ago`
  return formatTable([
    ['host', name === host ? host : `${host} (${name})`],
    ['target', target],
    ['source', source],
    ['age', age],
    ...(expiresInSeconds === undefined ? [] : [['expires', `in ${expiresInSeconds} s`]]),
    ...(problem === undefined ? [] : [['problem', problem]]),
  ])
}
