import { run } from '../run.ts'
import type { CommandContext } from './context.ts'

/** Adds the commands that read the configuration and start, or check, what it describes. */
export function addStartCommands({ world, addStart, group }: CommandContext): void {
  group('Start:')
  addStart('run', 'start nginx and the app, in the foreground', commandLine => run(commandLine, world))
  addStart(
    'dev',
    'run the app for development: restart on change, HTTP only, one worker, short logs',
    async commandLine => (await import('../dev.ts')).dev(commandLine, world),
  )
  addStart(
    'check',
    'check everything run needs and explain how to fix problems',
    async (commandLine, { options, isJson }) =>
      (await import('../check.ts')).check(commandLine, world, { isStrict: Boolean(options.strict), isJson }),
  )
    .option('--strict', 'fail if there are warnings')
    .option('--json', 'print JSON')
  addStart(
    'doctor',
    'check the configuration, this machine and the running instance, and explain how to fix problems',
    async (commandLine, { isJson }) => (await import('../doctor.ts')).doctor(commandLine, world, { isJson }),
  ).option('--json', 'print JSON')
  addStart('render', 'print the nginx configuration and the keys that produced it', async (commandLine, { isJson }) =>
    (await import('../render.ts')).render(commandLine, world, isJson),
  ).option('--json', 'print JSON: texts by file')
}
