import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readVersion } from '../base/adapters/version.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { maxWorkers } from '../config/limits.ts'
import { scalarKeys } from '../site/config.ts'
import type { CommandLine } from './load.ts'
import { run } from './run.ts'
import { unknownCommandFix, usageFix } from './usage-fix.ts'

/** Arguments and options after the name of a command. */
interface ParsedArguments {
  words: string[]
  options: Record<string, string>
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
    .addHelpText(
      'after',
      '\nExit codes: 0 success or a clean stop; 1 the command failed; 64 invalid usage; 69 no instance is running;\n70 internal error; 77 permission denied; 78 invalid configuration; or the exit code of the app if it cannot start.',
    )

  const add = (
    name: string,
    summary: string,
    act: (commandLine: CommandLine, options: Record<string, string>) => Promise<number>,
  ) => {
    const command = program
      .command(name)
      .description(summary)
      .argument('[command...]', 'the app: a command with its arguments, or a directory of static files')
    const isSelected = isBare || argv.includes(name)
    const prepared = isSelected ? addFlags(command) : command // adding all flags takes time
    prepared.action(async (words: string[], options: Record<string, string>) => {
      code = await act(toCommandLine(words, options), options)
    })
    return command
  }
  add('run', 'start nginx and the app, in the foreground', commandLine => run(commandLine, world))
  add('dev', 'run the app for development: restart on change, HTTP only, one worker, short logs', async commandLine =>
    (await import('./dev.ts')).dev(commandLine, world),
  )
  add('check', 'check everything run needs and explain how to fix problems', async (commandLine, { strict, json }) =>
    (await import('./check.ts')).check(commandLine, world, { isStrict: Boolean(strict), isJson: Boolean(json) }),
  )
    .option('--strict', 'fail if there are warnings')
    .option('--json', 'print JSON')
  add('render', 'print the nginx configuration and the keys that produced it', async commandLine =>
    (await import('./render.ts')).render(commandLine, world),
  )
  const addControl = (
    name: string,
    summary: string,
    act: (commandLine: CommandLine, given: ParsedArguments) => Promise<number>,
  ) => {
    const command = program.command(name).description(`${summary} (for the instance running in run_dir)`)
    addRunDirFlags(command).action(async () => {
      const options = command.opts<Record<string, string>>()
      // other options are the command's own, even if a key has the same name
      const { config, runDir } = options as { config?: string; runDir?: string }
      const selection = { ...(config === undefined ? {} : { config }), ...(runDir === undefined ? {} : { runDir }) }
      code = await act(toCommandLine([], selection), { words: command.args, options })
    })
    return command
  }
  const control = () => import('./control.ts')
  addControl('status', 'show workers, upstreams and certificates', async (commandLine, { options }) =>
    (await control()).showStatus(commandLine, world, options.json ? 'json' : options.metrics ? 'metrics' : 'table'),
  )
    .option('--json', 'print JSON')
    .addOption(new Option('--metrics', 'print metrics in the Prometheus format').conflicts('json'))
  addControl(
    'reload',
    'read the configuration again, replace the workers, reload nginx',
    async (commandLine, { options }) =>
      (await control()).reloadInstance(commandLine, world, Boolean(options.allowMissing)),
  ).option('--allow-missing', 'accept that files of the configuration in use are missing, empty or cut off')
  addControl(
    'restart',
    'replace all workers and processes, or the target',
    async (commandLine, { words: [target] }) => {
      const path = target === undefined ? 'restart' : `restart/${encodeURIComponent(target)}`
      return (await control()).command(commandLine, world, path)
    },
  ).argument('[target]', 'an app, such as api, or one worker, such as api.2')
  addControl('scale', 'set the number of workers until the next reload', async (commandLine, { words, options }) => {
    const of = options.app === undefined ? '' : `?app=${encodeURIComponent(options.app)}`
    return (await control()).command(commandLine, world, `scale/${encodeURIComponent(words[0] ?? '')}${of}`)
  })
    .argument('<workers>', 'number of workers', readWorkers)
    .option('--app <name>', 'app to scale; required if several apps have workers')
  addControl('inspect', 'open the inspector of a Node worker on a loopback port', async (commandLine, given) => {
    const path = `inspect/${encodeURIComponent(given.words[0] ?? '')}${given.options.close ? '?close=true' : ''}`
    return (await control()).command(commandLine, world, path)
  })
    .argument('<worker>', 'a worker, such as app.1')
    .option('--close', 'close it again')
  addControl(
    'maintenance',
    'respond to clients with 503 and a page, or end that; without an action, show the state',
    async (commandLine, { words: [action], options }) => {
      const { allow, message, json } = options as { allow?: readonly string[]; message?: string; json?: boolean }
      const { maintenance } = await import('./maintenance.ts')
      return maintenance(commandLine, world, { action, allow, message, isJson: Boolean(json) })
    },
  )
    .addArgument(new Argument('[action]', 'action to run').choices(['on', 'off']))
    .addOption(
      new Option('--allow <network>', 'address or network whose clients are let in; may be repeated').argParser(
        (network, others: readonly string[] = []) => [...others, ...network.split(',')],
      ),
    )
    .option('--message <text>', 'text on the page')
    .option('--json', 'print JSON')
  addControl(
    'pause',
    'let requests to apps and upstreams wait, for example during a database switch',
    async (commandLine, { options }) => {
      const { for: duration } = options
      const path = duration === undefined ? 'pause' : `pause?for=${encodeURIComponent(duration)}`
      return (await control()).command(commandLine, world, path, options.json ? 'json' : 'text')
    },
  )
    .option('--for <duration>', 'time after which they go on by themselves, at most 10m; default: 30s')
    .option('--json', 'print JSON')
  addControl('resume', 'let requests go on after a pause', async (commandLine, { options }) =>
    (await control()).command(commandLine, world, 'resume', options.json ? 'json' : 'text'),
  ).option('--json', 'print JSON')
  addControl('cache', 'remove responses from the cache of nginx', async (commandLine, { words: [, prefix] }) => {
    const path = prefix === undefined ? 'purge' : `purge/${encodeURIComponent(prefix)}`
    return (await control()).command(commandLine, world, path)
  })
    .addArgument(new Argument('<action>', 'action to run').choices(['purge']))
    .argument('[prefix]', 'beginning of the paths to remove, such as /blog; default: all')
  addControl(
    'cert',
    'list, show or renew certificates, check one by a handshake, or show how to trust the local CA',
    async (commandLine, { words, options }) => {
      const [action = '', name] = words
      const { cert } = await import('./cert.ts')
      return cert(commandLine, world, { action, name, isJson: Boolean(options.json), isForced: Boolean(options.force) })
    },
  )
    .addArgument(new Argument('<action>', 'action to run').choices(['list', 'show', 'renew', 'check', 'trust-info']))
    .argument('[name]', 'host name; for renew, a domain of tls.acme')
    .option('--json', 'print JSON (list, show and trust-info)')
    .option('--force', 'renew even if it is not due, and skip the self-test')
  addControl('routes', 'list, show, change, import or export dynamic host routes', async (commandLine, given) => {
    const [action = '', ...words] = given.words
    const { json, match } = given.options
    const { routes } = await import('./routes.ts')
    return routes(commandLine, world, { action, words, isJson: Boolean(json), match })
  })
    .addArgument(
      new Argument('<action>', 'action to run').choices(['list', 'get', 'set', 'remove', 'import', 'export']),
    )
    .argument(
      '[route...]',
      'for get, set and remove, a host such as shop.example.com; for set, also its targets: apps, upstreams, or addresses such as 10.0.0.2:5000; for import, a file with {"HOST": "TARGET"} or a line HOST TARGET for each route, or - for standard input',
    )
    .option('--match <pattern>', 'only hosts that match, such as *.example.com (list)')
    .option('--json', 'print JSON (list and get)')
  addControl('jobs', 'list, run, pause or resume jobs, or show their last runs', async (commandLine, given) => {
    const [action = '', name] = given.words
    const { json, wait } = given.options
    const { jobs } = await import('./jobs.ts')
    return jobs(commandLine, world, { action, name, isJson: Boolean(json), waits: Boolean(wait) })
  })
    .addArgument(new Argument('<action>', 'action to run').choices(['list', 'run', 'pause', 'resume', 'history']))
    .argument('[name]', 'a job of the configuration; for history, default: all')
    .option('--wait', 'wait for the end of the run, and exit with its code (run)')
    .option('--json', 'print JSON (list and history)')
  addControl('stop', 'drain, stop, and wait for the end; a second one meanwhile is a quick stop', async commandLine =>
    (await control()).stopInstance(commandLine, world),
  )
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`monohull ${readVersion(world.home)}, Node ${process.versions.node}\n`)
    })

  const names = [...program.commands.map(command => command.name()), 'help']
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

/** Number of workers as the admin API accepts it. */
function readWorkers(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > maxWorkers)
    throw new InvalidArgumentError(`It must be a number from 1 to ${maxWorkers}.`)
  return text
}
