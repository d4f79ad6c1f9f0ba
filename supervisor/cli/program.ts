import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command, CommanderError, Option } from 'commander'
import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { scalarKeys } from '../site/config.ts'
import type { CommandLine } from './load.ts'
import { run } from './run.ts'

/** What stood behind a command's name. */
interface Given {
  words: string[]
  options: Record<string, string>
}

/** Parses the command line and does what it says; settles with the exit code. Operator errors are the caller's to tell. */
export async function runProgram(argv: string[], world: World): Promise<number> {
  let code: number = exitCode.ok
  // `monohull --workers 2` is short for `monohull run --workers 2`
  const isBare = argv.length === 0 || (argv[0]?.startsWith('--') && !['--help', '--version'].includes(argv[0]))
  const program = new Command('monohull')
    .description('nginx, your app and its certificates in one container')
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(monohull help lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, or stopped cleanly; 1 the command failed; 64 bad usage; 69 no instance runs; 77 not allowed;\n78 bad configuration; 70 internal fault; or the code of the app when it cannot be started.',
    )

  const add = (name: string, summary: string, act: (commandLine: CommandLine) => Promise<number>) => {
    const command = program
      .command(name)
      .description(summary)
      .argument('[command...]', 'the app: a command with its arguments, or a folder of static files')
    const isMeant = isBare || argv.includes(name)
    const prepared = isMeant ? addFlags(command) : command // 35 flags take their time
    prepared.action(async (words: string[], options: Record<string, string>) => {
      code = await act(toCommandLine(words, options))
    })
  }
  add('run', 'start nginx and the app, in the foreground', commandLine => run(commandLine, world))
  add('dev', 'run it while you work on it: restart on change, HTTP only, one worker, short logs', async commandLine =>
    (await import('./dev.ts')).dev(commandLine, world),
  )
  add('check', 'look for everything that would keep it from running, and say how to mend it', async commandLine =>
    (await import('./check.ts')).check(commandLine, world),
  )
  add('render', 'print the nginx configuration it would use', async commandLine =>
    (await import('./render.ts')).render(commandLine, world),
  )
  const addControl = (
    name: string,
    summary: string,
    act: (commandLine: CommandLine, given: Given) => Promise<number>,
  ) => {
    const command = program.command(name).description(`${summary} (of the instance that runs in run_dir)`)
    addRunDirFlags(command).action(async () => {
      const options = command.opts<Record<string, string>>()
      code = await act(toCommandLine([], options), { words: command.args, options })
    })
    return command
  }
  const control = () => import('./control.ts')
  addControl('status', 'show the workers', async (line, { options }) =>
    (await control()).showStatus(line, world, options.json ? 'json' : options.metrics ? 'metrics' : 'table'),
  )
    .option('--json', 'as JSON')
    .addOption(new Option('--metrics', 'as Prometheus reads it').conflicts('json'))
  addControl('reload', 'read the configuration again, replace the workers, reload nginx', async line =>
    (await control()).command(line, world, 'reload'),
  )
  addControl('restart', 'replace everything, or what is named', async (line, { words: [target] }) =>
    (await control()).command(line, world, target === undefined ? 'restart' : `restart/${encodeURIComponent(target)}`),
  ).argument('[target]', 'an app, such as api, or one worker, such as api.2')
  addControl('scale', 'set the number of workers, until the next reload', async (line, { words, options }) => {
    const of = options.app === undefined ? '' : `?app=${encodeURIComponent(options.app)}`
    return (await control()).command(line, world, `scale/${encodeURIComponent(words[0] ?? '')}${of}`)
  })
    .argument('<workers>', 'how many')
    .option('--app <name>', 'of which app; needed when there are several')
  addControl('cache', 'purge answers from the cache of nginx', async (line, { words: [, prefix] }) =>
    (await control()).command(line, world, prefix === undefined ? 'purge' : `purge/${encodeURIComponent(prefix)}`),
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['purge']))
    .argument('[prefix]', 'only those whose path begins with it, such as /blog')
  addControl(
    'cert',
    'list certificates, show or renew one, check by a handshake, or tell how to trust the local CA',
    async (line, { words, options }) => {
      const [action = '', name] = words
      const { cert } = await import('./cert.ts')
      return cert(line, world, { action, name, isJson: Boolean(options.json), isForced: Boolean(options.force) })
    },
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['list', 'show', 'renew', 'check', 'trust-info']))
    .argument('[name]', 'a host name; for renew a domain of tls.acme')
    .option('--json', 'list, show and trust-info as JSON')
    .option('--force', 'renew even when it is not due, and without a self-test before')
  addControl('routes', 'list, set or remove the dynamic routes of hosts', async (line, { words, options }) => {
    const [action = '', ...others] = words
    const { routes } = await import('./routes.ts')
    return routes(line, world, { action, words: others, isJson: Boolean(options.json) })
  })
    .addArgument(new Argument('<action>', 'what to do').choices(['list', 'set', 'remove']))
    .argument(
      '[route...]',
      'for set and remove a host, such as shop.example.com; for set also its target: an app, an upstream, or an address such as 10.0.0.2:5000',
    )
    .option('--json', 'list as JSON')
  addControl('stop', 'drain, stop, and wait for the end', async line => (await control()).stopInstance(line, world))
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`monohull ${versionOf(world)}, Node ${process.versions.node}\n`)
    })

  try {
    await program.parseAsync(isBare ? ['run', ...argv] : argv[0] === '--version' ? ['version'] : argv, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage
  }
}

/** A flag for every scalar key, `--config` for the file. What follows the first word is the app's own. */
function addFlags(command: Command): Command {
  command
    .passThroughOptions()
    .option('--config <file>', 'configuration file; default: monohull.yaml in the app directory')
  for (const { flag, description } of scalarKeys()) {
    if (flag !== '--command') command.addOption(new Option(`${flag} <value>`, description))
  }
  return command
}

/** The flags that tell which instance is meant. */
function addRunDirFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file that the instance was started with')
    .option('--run-dir <value>', 'its run folder')
}

function toCommandLine(words: string[], options: Record<string, string>): CommandLine {
  const flags: Record<string, string> = {}
  for (const { key, flag } of scalarKeys()) {
    const value = options[new Option(`${flag} <value>`).attributeName()]
    if (value !== undefined) flags[key] = value
  }
  return { configFile: options.config, flags, command: words }
}

function versionOf({ home }: World): string {
  return (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version
}
