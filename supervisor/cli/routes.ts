import { exitCode, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { formatTable } from '../base/text-table.ts'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { command, printOutcome, socketOf } from './control.ts'
import type { CommandLine } from './load.ts'

/** Parsed arguments of `monohull routes`. */
export interface RoutesArguments {
  action: string
  words: string[]
  isJson: boolean
}

interface ListedRoute {
  host: string
  target: string
  problem?: string
}

const usage: Record<string, string> = { list: '', set: ' HOST TARGET', remove: ' HOST' }

/** Runs `monohull routes list`, `set HOST TARGET` or `remove HOST` for the running instance. */
export async function routes(
  commandLine: CommandLine,
  world: World,
  { action, words, isJson }: RoutesArguments,
): Promise<number> {
  const expected = (usage[action] ?? '').split(' ').length - 1
  if (words.length !== expected)
    throw new OperatorError(`monohull routes ${action} needs ${expected || 'no'} arguments, got ${words.length}`, {
      fix: `monohull routes ${action}${usage[action]}`,
      code: exitCode.usage,
    })
  const [host = '', target = ''] = words.map(encodeURIComponent)
  if (action === 'set') return command(commandLine, world, `routes/${host}/set?target=${target}`)
  if (action === 'remove') return command(commandLine, world, `routes/${host}/remove`)
  const { status, body } = await askAdmin(await socketOf(commandLine, world), 'GET', '/routes')
  if (status !== 200) return printOutcome(body as Outcome)
  process.stdout.write(isJson ? `${JSON.stringify(body, null, 2)}\n` : formatRoutes(body as ListedRoute[]))
  return exitCode.ok
}

function formatRoutes(all: readonly ListedRoute[]): string {
  if (all.length === 0) return 'no dynamic routes\n'
  const rows = all.map(({ host, target, problem }) => [host, target, problem ?? ''])
  return formatTable([['HOST', 'TARGET', ''], ...rows])
}
