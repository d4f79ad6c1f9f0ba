import { Command, CommanderError, Option } from 'commander'
import { readVersion } from '../base/adapters/version.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { scalarKeys } from '../site/config.ts'
import type { CommandContext, ParsedArguments } from './commands/context.ts'
import { addDiagnosisCommands } from './commands/diagnosis-commands.ts'
import { addStartCommands } from './commands/start-commands.ts'
import { addSteerCommands } from './commands/steer-commands.ts'
import { addStoreCommands } from './commands/store-commands.ts'
import { addViewCommands } from './commands/view-commands.ts'
import { wrapHelp } from './help-text.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'
import { unknownCommandFix, usageFix } from './usage-fix.ts'

const exitCodes =
  'Exit codes: 0 success or a clean stop; 1 the command failed; 64 invalid usage; 69 no instance is running; 70 internal error; 77 permission denied; 78 invalid configuration; or the exit code of the app if it cannot start.'

/** Term of a command in the list of all: its names and arguments. Most have options, which its own help lists. */
function shortTerm(command: Command): string {
  const words = command.registeredArguments.map(argument => {
    const word = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${word}>` : `[${word}]`
  })
  return [[command.name(), ...command.aliases()].join('|'), ...words].join(' ')
}

/** Parses the command line and runs its command; settles with the exit code. The caller reports each OperatorError. */
export async function runProgram(argv: string[], world: World): Promise<number> {
  let code: number = exitCode.ok
  const [first = ''] = argv
  if (['-v', '-V', '--version'].includes(first)) return runProgram(['version'], world)
  // `monohull --workers 2` is short for `monohull run --workers 2`
  const isBare = argv.length === 0 || (first.startsWith('-') && !['--help', '-h'].includes(first))
  const program = new Command('monohull')
    .description('nginx, your app and its certificates in one container')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError(message, write) {
        const flags = scalarKeys().map(({ flag }) => flag)
        const fix = usageFix(message, isBare ? 'run' : first, [...flags, '--config', '--json'])
        write(`monohull: ${message.replace(/^error: /, '')}${fix === undefined ? '' : `  fix: ${fix}\n`}`)
      },
    })
    .configureHelp({ minWidthToWrap: 20, subcommandTerm: shortTerm })
    .addHelpText('after', `\n${wrapHelp(exitCodes)}`)

  const addStart: CommandContext['addStart'] = (name, summary, act) => {
    const command = program
      .command(name)
      .description(summary)
      .argument('[command...]', 'the app: a command with its arguments, or a directory of static files')
    const isSelected = isBare || argv.includes(name)
    const prepared = isSelected ? addFlags(command) : command // adding all flags takes time
    prepared.action(async (words: string[], options: Record<string, string>) => {
      code = await act(toCommandLine(words, options), { words, options, ...formatOf(options) })
    })
    return command
  }
  const addControl: CommandContext['addControl'] = (name, summary, act) => {
    const command = program.command(name).description(summary)
    addRunDirFlags(command).action(async () => {
      const options = command.opts<Record<string, string>>()
      // other options are the command's own, even if a key has the same name
      const { config, runDir } = options as { config?: string; runDir?: string }
      const selection = { ...(config === undefined ? {} : { config }), ...(runDir === undefined ? {} : { runDir }) }
      code = await act(toCommandLine([], selection), { words: command.args, options, ...formatOf(options) })
    })
    return command.option('--json', 'print JSON')
  }
  const context = { world, addStart, addControl, group: (heading: string) => void program.commandsGroup(heading) }
  addStartCommands(context)
  addViewCommands(context)
  addDiagnosisCommands(context)
  addSteerCommands(context)
  addStoreCommands(context)
  program.commandsGroup('Other:').helpCommand('help [command]', 'show the flags of a command')
  program
    .command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const [version, node] = [readVersion(world.home), process.versions.node]
      process.stdout.write(json ? toJson({ version, node }) : `monohull ${version}, Node ${node}\n`)
    })

  if (first === 'completion' || first === 'complete')
    await (await import('./completion.ts')).addCompletion(program, argv, world)
  else
    program.command('completion').argument('<shell>').description('print the completion script for bash, zsh or fish')

  const names = [...program.commands.flatMap(command => [command.name(), ...command.aliases()]), 'help']
  const words = first === 'help' ? argv.slice(1) : argv
  const [name = ''] = words
  if (name !== '' && !name.startsWith('-') && !names.includes(name))
    throw new OperatorError(`unknown command '${name}'`, { fix: unknownCommandFix(words, names), code: exitCode.usage })

  try {
    await program.parseAsync(isBare ? ['run', ...argv] : argv, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage
  }
}

/** Adds a flag for every scalar key, and `--config` for the file. Arguments after the first word belong to the app. */
function addFlags(command: Command): Command {
  command
    .passThroughOptions()
    .option('--config <file>', "configuration file; default: monohull.yaml in the app's directory")
  for (const { flag, description } of scalarKeys()) {
    if (flag !== '--command') command.addOption(new Option(`${flag} <value>`, description))
  }
  return command
}

/** Adds the flags that select an instance. */
function addRunDirFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file of the instance')
    .option('--run-dir <value>', 'run directory of the instance')
}

function toCommandLine(words: string[], options: Record<string, string>): CommandLine {
  const flags: Record<string, string> = {}
  for (const { key, flag } of scalarKeys()) {
    const value = options[new Option(`${flag} <value>`).attributeName()]
    if (value !== undefined) flags[key] = value
  }
  return { configFile: options.config, flags, command: words }
}

function formatOf({ json }: Record<string, unknown>): Pick<ParsedArguments, 'isJson' | 'format'> {
  return { isJson: Boolean(json), format: json ? 'json' : 'text' }
}
