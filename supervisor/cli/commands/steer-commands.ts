import { Argument, InvalidArgumentError, Option } from 'commander'
import { maxWorkers } from '../../config/limits.ts'
import type { CommandContext } from './context.ts'

/** Adds the commands that change the running instance. */
export function addSteerCommands({ world, addControl, group }: CommandContext): void {
  const control = () => import('../control.ts')
  group('Steer it:')
  addControl(
    'reload',
    'read the configuration again, replace the workers, reload nginx',
    async (commandLine, { options, format }) =>
      (await control()).reloadInstance(commandLine, world, { allowsMissing: Boolean(options.allowMissing), format }),
  ).option('--allow-missing', 'accept that files of the configuration in use are missing, empty or cut off')
  addControl(
    'restart',
    'replace all workers and processes, or the target',
    async (commandLine, { words: [target], format }) => {
      const path = target === undefined ? 'restart' : `restart/${encodeURIComponent(target)}`
      return (await control()).command(commandLine, world, path, format)
    },
  ).argument('[target]', 'an app or process, such as api, or one of its workers, such as api.2')
  addControl(
    'scale',
    'set the number of workers until the next reload',
    async (commandLine, { words, options, format }) => {
      const of = options.app === undefined ? '' : `?app=${encodeURIComponent(options.app)}`
      return (await control()).command(commandLine, world, `scale/${encodeURIComponent(words[0] ?? '')}${of}`, format)
    },
  )
    .argument('<workers>', 'number of workers', readWorkers)
    .option('--app <name>', 'app to scale; required if several apps have workers')
  addControl('inspect', 'open the inspector of a Node worker on a loopback port', async (commandLine, given) => {
    const path = `inspect/${encodeURIComponent(given.words[0] ?? '')}${given.options.close ? '?close=true' : ''}`
    return (await control()).command(commandLine, world, path, given.format)
  })
    .argument('<worker>', 'a worker, such as app.1')
    .option('--close', 'close it again')
  addControl(
    'maintenance',
    'respond to clients with 503 and a page, or end that; without an action, show the state',
    async (commandLine, { words: [action], options, isJson }) => {
      const { allow, message } = options as { allow?: readonly string[]; message?: string }
      const { maintenance } = await import('../maintenance.ts')
      return maintenance(commandLine, world, { action, allow, message, isJson })
    },
  )
    .addArgument(new Argument('[action]', 'action to run').choices(['on', 'off']))
    .addOption(
      new Option('--allow <network>', 'address or network whose clients are let in; may be repeated').argParser(
        (network, others: readonly string[] = []) => [...others, ...network.split(',')],
      ),
    )
    .option('--message <text>', 'text on the page')
  addControl(
    'pause',
    'let requests to apps and upstreams wait, for example during a database switch',
    async (commandLine, { options, format }) =>
      (await import('../pause.ts')).pause(commandLine, world, options.for, format),
  ).option('--for <duration>', 'time after which they go on by themselves, from 1s to 10m; default: 30s')
  addControl('resume', 'let requests go on after a pause', async (commandLine, { format }) =>
    (await control()).command(commandLine, world, 'resume', format),
  )
  addControl(
    'stop',
    'drain, stop, and wait for the end; a second one meanwhile is a quick stop',
    async (commandLine, { format }) => (await control()).stopInstance(commandLine, world, format),
  )
}

/** Number of workers as the admin API accepts it. */
function readWorkers(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > maxWorkers)
    throw new InvalidArgumentError(`It must be a number from 1 to ${maxWorkers}.`)
  return text
}
