import { exitCode, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import type { Status } from '../run/status.ts'
import { printOutcome, socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'

/** Characters of a message: all of them are in the head of a request to the admin socket. */
const longestMessage = 1000

/** Parsed arguments of `monohull maintenance`. */
export interface MaintenanceArguments {
  /** `on` or `off`; undefined: shows the state. */
  action: string | undefined
  allow: readonly string[] | undefined
  message: string | undefined
  isJson: boolean
}

/** Runs `monohull maintenance on`, `off` or without an action for the running instance. */
export async function maintenance(
  commandLine: CommandLine,
  world: World,
  { action, allow = [], message, isJson }: MaintenanceArguments,
): Promise<number> {
  if (action !== 'on' && (allow.length > 0 || message !== undefined))
    throw new OperatorError(`--allow and --message need the action on, got ${action ?? 'no action'}`, {
      fix: 'monohull maintenance on --allow … --message …',
      code: exitCode.usage,
    })
  if (message !== undefined && message.length > longestMessage)
    throw new OperatorError(`--message has ${message.length} characters, more than ${longestMessage}`, {
      fix: 'shorten it, or set maintenance_page to a page of your own',
      code: exitCode.usage,
    })
  const socket = await socketOf(commandLine, world)
  if (action !== undefined) {
    const query = new URLSearchParams()
    for (const network of allow) query.append('allow', network)
    if (message !== undefined) query.set('message', message)
    const path = `/maintenance/${action}?${query}`
    const outcome = (await askAdmin(socket, { method: 'POST', path })).body as Outcome
    return printOutcome(outcome, isJson ? 'json' : 'text')
  }
  const { maintenance: found } = (await askAdmin(socket, { method: 'GET', path: '/status' })).body as Status
  if (isJson) process.stdout.write(toJson(found ?? null))
  else if (!found) process.stdout.write('maintenance is off\n')
  else
    process.stdout.write(
      [
        `maintenance is on since ${found.since}`,
        `allow    ${found.allow.join(', ') || 'nobody'}`,
        ...(found.message === undefined ? [] : [`message  ${found.message}`]),
        '',
      ].join('\n'),
    )
  return exitCode.ok
}
