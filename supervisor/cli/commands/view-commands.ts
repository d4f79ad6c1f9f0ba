import { Argument, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../../base/duration.ts'
import type { CommandContext } from './context.ts'

const shortestIntervalMs = 500

/** Adds the commands that show what the running instance does. */
export function addViewCommands({ world, addControl, group }: CommandContext): void {
  group('Look at the instance that runs in run_dir:')
  addControl('status', 'show workers, upstreams and certificates', async (commandLine, { options, isJson }) => {
    const { metrics, watch, cluster } = options
    const { showStatus } = await import('../status.ts')
    return showStatus(commandLine, world, {
      format: isJson ? 'json' : metrics ? 'metrics' : 'table',
      isOfCluster: Boolean(cluster),
      watchMs: watch === undefined ? undefined : Number(watch),
    })
  })
    .aliases(['ps', 'ls'])
    .addOption(new Option('--cluster', 'show the instances with the same shared_state instead').conflicts('metrics'))
    .addOption(new Option('--metrics', 'print metrics in the Prometheus format').conflicts(['json', 'watch']))
    .addOption(
      new Option('-w, --watch [interval]', 'show it again and again until Ctrl-C').preset('2s').argParser(readInterval),
    )
  addControl('logs', 'show the last lines of the log, by source and level', async (commandLine, given) => {
    const { follow, source, level, since, grep, lines } = given.options
    const { showLogs } = await import('../logs.ts')
    const { isJson } = given
    return showLogs(commandLine, world, { follows: Boolean(follow), source, level, since, grep, lines, isJson })
  })
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('--source <names>', 'only of these, separated by commas: app.1, app for all its workers, nginx, monohull')
    .option('--level <level>', 'only of this level or above: debug, info, warn or error')
    .option('--since <time>', 'only from this time on: 10m for the last ten minutes, or 2026-11-30T10:00:00Z')
    .option('--grep <regex>', 'only lines that match this regular expression')
    .option('-n, --lines <number>', 'number of last lines; default: 100, or all with --since or --grep', readCount)
  addControl('events', 'show deaths, rolls, reloads, renewals and other events', async (commandLine, given) => {
    const { follow, kind, level, since, lines } = given.options
    const { showEvents } = await import('../logs.ts')
    const { isJson } = given
    return showEvents(commandLine, world, { follows: Boolean(follow), kind, level, since, lines, isJson })
  })
    .option('-f, --follow', 'go on with new events until Ctrl-C')
    .option('--kind <kinds>', 'only of these kinds, separated by commas, such as death,reload,certificate')
    .option('--level <level>', 'only of this level or above: info, warn or error')
    .option('--since <time>', 'only from this time on: 10m for the last ten minutes, or 2026-11-30T10:00:00Z')
    .option('-n, --lines <number>', 'number of last events; default: 100, or all with --since', readCount)
  addControl('config', 'show the values in force, and where each comes from', async (commandLine, given) => {
    const [, key] = given.words
    const { showConfig } = await import('../config.ts')
    return showConfig(commandLine, world, { key, isSet: Boolean(given.options.set), isJson: given.isJson })
  })
    .addArgument(new Argument('[action]', 'action to run; default: show').choices(['show']))
    .argument('[key]', 'only this key and those below it, such as tls or app.workers')
    .option('--set', 'only keys that are set, without defaults')
  addControl('deaths', 'show the last deaths, or all about one', async (commandLine, { words: [which], isJson }) =>
    (await import('../deaths.ts')).showDeaths(commandLine, world, which, isJson),
  ).argument('[death]', 'number of a death, or a worker or app such as app.1; default: the last 100')
  addControl('dashboard', 'show the address of the status page, and the ways to it', async (commandLine, { isJson }) =>
    (await import('../dashboard.ts')).dashboard(commandLine, world, isJson),
  )
}

function readInterval(text: string): string {
  const ms = parseDuration(/^\d+$/.test(text) ? `${text}s` : text)
  if (ms === undefined || ms < shortestIntervalMs)
    throw new InvalidArgumentError('It must be a duration of at least 500ms, such as 5s.')
  return String(ms)
}

function readCount(text: string): string {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a number.')
  return text
}
