import { Argument } from 'commander'
import type { CommandContext } from './context.ts'

/** Adds the commands for what the running instance keeps: its cache, certificates, dynamic routes and jobs. */
export function addStoreCommands({ world, addControl, group }: CommandContext): void {
  const control = () => import('../control.ts')
  group('Its cache, certificates, dynamic routes and jobs:')
  addControl(
    'cache',
    'remove responses from the cache of nginx',
    async (commandLine, { words: [, prefix], format }) => {
      const path = prefix === undefined ? 'purge' : `purge/${encodeURIComponent(prefix)}`
      return (await control()).command(commandLine, world, path, format)
    },
  )
    .addArgument(new Argument('<action>', 'action to run').choices(['purge']))
    .argument('[prefix]', 'beginning of the paths to remove, such as /blog; default: all')
  addControl(
    'cert',
    'list, show or renew certificates, check one by a handshake, or show how to trust the local CA',
    async (commandLine, { words, options, isJson }) => {
      const [action = '', name] = words
      const { cert } = await import('../cert.ts')
      return cert(commandLine, world, { action, name, isJson, isForced: Boolean(options.force) })
    },
  )
    .addArgument(new Argument('<action>', 'action to run').choices(['list', 'show', 'renew', 'check', 'trust-info']))
    .argument('[name]', 'host name; for renew, a domain of tls.acme')
    .option('--force', 'renew even if it is not due, and skip the self-test')
  addControl('routes', 'list, show, change, import or export dynamic host routes', async (commandLine, given) => {
    const [action = '', ...words] = given.words
    const { match, ...options } = given.options
    const { routes } = await import('../routes.ts')
    return routes(commandLine, world, { action, words, isJson: given.isJson, match, options })
  })
    .addArgument(
      new Argument('<action>', 'action to run').choices(['list', 'get', 'set', 'remove', 'import', 'export']),
    )
    .argument(
      '[route...]',
      'for get, set and remove, a host such as shop.example.com; for set, also its targets: apps, upstreams, or addresses such as 10.0.0.2:5000; for import, a file with {"HOST": "TARGET"} or a line HOST TARGET for each route, or - for standard input',
    )
    .option('--match <pattern>', 'only hosts that match, such as *.example.com (list)')
    .option('--check <path>', 'switch only when each address responds here with a status below 400 (set)')
    .option('--timeout <duration>', 'time in which it has to, default: 30s (set --check)')
    .option('--drain <duration>', 'wait for the requests and WebSockets of the former addresses at most so long (set)')
    .option('--weight <percent>', 'switch only this part of the requests, such as 10% (set)')
    .option('--cookie', 'let visitors stay where they were sent first, by a cookie (set --weight)')
  addControl('jobs', 'list, run, pause or resume jobs, or show their last runs', async (commandLine, given) => {
    const [action = '', name] = given.words
    const { jobs } = await import('../jobs.ts')
    return jobs(commandLine, world, { action, name, isJson: given.isJson, waits: Boolean(given.options.wait) })
  })
    .addArgument(new Argument('<action>', 'action to run').choices(['list', 'run', 'pause', 'resume', 'history']))
    .argument('[name]', 'a job of the configuration; for history, default: all')
    .option('--wait', 'wait for the end of the run, and exit with its code (run)')
}
