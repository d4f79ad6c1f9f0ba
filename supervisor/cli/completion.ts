import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import type { Status } from '../run/status.ts'
import { socketOf } from './control.ts'

/** Commands whose argument is the name of something that runs. */
const namesFor: Record<string, (status: Status) => string[]> = {
  restart: status => [...appsOf(status), ...membersOf(status)],
  inspect: ({ workers }) => workers.map(({ name }) => name),
  profile: ({ workers }) => workers.map(({ name }) => name),
  deaths: status => [...appsOf(status), ...membersOf(status)],
}

/** Shells whose scripts are tested. The package has one more. */
const shells = ['bash', 'zsh', 'fish']

/** A shell waits for it at each press of Tab. */
const timeoutMs = 1000

/**
 * Adds the commands `completion SHELL`, which prints a script for a shell, and the hidden `complete`, which the script asks. `argv` are the
 * words after `monohull`: in a question, the last one is the word to complete.
 */
export async function addCompletion(program: Command, argv: readonly string[], world: World): Promise<void> {
  const completion = tab(program, { completionCommandName: 'completion' })
  program.commands.find(command => command.name() === 'completion')?.registeredArguments[0]?.choices(shells)
  const name = argv[2] ?? ''
  const namesOf = argv[0] === 'complete' && Object.hasOwn(namesFor, name) ? namesFor[name] : undefined
  const command = completion.commands.get(name)
  const [argument] = command?.arguments.keys() ?? []
  if (!namesOf || !command || argument === undefined) return
  const names = await readNames(namesOf, world)
  command.argument(argument, complete => {
    for (const found of names) complete(found, '')
  })
}

/** None if no instance responds. */
async function readNames(namesOf: (status: Status) => string[], world: World): Promise<string[]> {
  try {
    const socket = await socketOf({ configFile: undefined, flags: {}, command: [] }, world)
    return namesOf((await askAdmin(socket, { method: 'GET', path: '/status', timeoutMs })).body as Status)
  } catch {
    return []
  }
}

function membersOf({ workers, processes }: Status): string[] {
  return [...workers, ...processes].map(({ name }) => name)
}

function appsOf(status: Status): string[] {
  return [...new Set(membersOf(status).map(name => name.replace(/\.\d+$/, '')))]
}
