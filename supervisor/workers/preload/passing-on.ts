import child_process from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { contract } from './contract.ts'

/** Programs that run another one, whatever they do with its output. */
const knownWrappers =
  /[\\/]node_modules[\\/](cross-env|dotenv-cli|@dotenvx[\\/]dotenvx|env-cmd|nodemon|npm-run-all2?|concurrently|npm|pnpm|yarn|npx|corepack|nuxi|nuxt|next|serve|pm2)[\\/]/

interface SpawnOptions {
  stdio?: unknown
  envPairs?: string[]
}

/** What a process does around a child that gets the contract. */
export interface PassingOnDeps {
  /** Whether this process has an HTTP server itself. Then it is the worker, and its children are not. */
  isServing(): boolean
  /** The contract passes to a child. Returns a function that is called if the child has ended. */
  onPassed(): () => void
  /** Runs a call that blocks until a child has ended. */
  whileBlocked<T>(run: () => T): T
}

/**
 * Passes the contract on to the child of a wrapper: of a process that has no server yet and whose child writes to its output. The
 * child gets the descriptors and the variables, and if it is Node, it has the preload too.
 */
export function passOn(deps: PassingOnDeps): void {
  const prototype = (
    child_process as unknown as { ChildProcess: { prototype: { spawn(options: SpawnOptions): number } } }
  ).ChildProcess.prototype
  const spawn = prototype.spawn
  prototype.spawn = function (this: child_process.ChildProcess, options) {
    if (deps.isServing() || !isForeground(options.stdio, options.envPairs)) return spawn.call(this, options)
    const { stdio, variables } = withDescriptors(options.stdio)
    const ended = deps.onPassed()
    this.once('exit', ended)
    return spawn.call(this, {
      ...options,
      stdio,
      envPairs: pairsWith(options.envPairs ?? [], variables),
    })
  }
  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
    const original = child_process[name] as (...args: unknown[]) => unknown
    const patched = (...args: unknown[]) => {
      const given = args.findIndex((value, index) => index > 0 && isOptions(value))
      const options = (given < 0 ? {} : args[given]) as { stdio?: unknown; env?: NodeJS.ProcessEnv }
      if (deps.isServing() || !inheritsOutput(options.stdio)) return original(...args)
      const { stdio, variables } = withDescriptors(options.stdio)
      const { NODE_OPTIONS, ...env } = options.env ?? process.env
      const passed = { ...options, stdio, env: { ...env, ...variables, NODE_OPTIONS: nodeOptions(NODE_OPTIONS) } }
      return deps.whileBlocked(() =>
        original(...(given < 0 ? [...args, passed] : args.map((value, index) => (index === given ? passed : value)))),
      )
    }
    Object.assign(child_process, { [name]: patched })
  }
  syncBuiltinESMExports()
}

/** Whether a child stands for this process: it writes to the same output, and is not one of its own parts. */
function isForeground(stdio: unknown, pairs: readonly string[] = []): boolean {
  const isKnown = knownWrappers.test(programPath())
  const isPart =
    Array.isArray(stdio) && stdio.includes('ipc') && !pairs.some(pair => pair.startsWith('NODE_UNIQUE_ID='))
  return isKnown || (inheritsOutput(stdio) && !isPart)
}

/** Path of the script that this process runs; commands in node_modules/.bin are links to it. */
function programPath(): string {
  const [, script = ''] = process.argv
  try {
    return fs.realpathSync(script)
  } catch {
    return script
  }
}

function inheritsOutput(stdio: unknown): boolean {
  const output: unknown = Array.isArray(stdio) ? stdio[1] : stdio
  if (output === 'inherit' || output === 1) return true
  return typeof output === 'object' && output !== null && (output as { fd?: unknown }).fd === 1
}

/** Streams of a child with the contract's descriptors after its own, and the variables that name them. */
function withDescriptors(given: unknown): { stdio: unknown[]; variables: Record<string, string | undefined> } {
  const stdio: unknown[] = Array.isArray(given) ? [...given] : [given, given, given]
  while (stdio.length < 3) stdio.push(undefined)
  const variables = { ...contract.variables }
  if (contract.socketInode > 0) {
    if (stdio.length !== 3) variables.MONOHULL_SOCKET_FD = String(stdio.length)
    stdio.push(contract.socketDescriptor)
  }
  variables.MONOHULL_NOTIFY_FD = String(stdio.length)
  stdio.push(contract.notifyDescriptor)
  return { stdio, variables }
}

function pairsWith(pairs: readonly string[], variables: Record<string, string | undefined>): string[] {
  const options = pairs.find(pair => pair.startsWith('NODE_OPTIONS='))?.slice('NODE_OPTIONS='.length)
  const set = { ...variables, NODE_OPTIONS: nodeOptions(options) }
  return [
    ...pairs.filter(pair => !(pair.slice(0, pair.indexOf('=')) in set)),
    ...Object.entries(set).map(([name, value]) => `${name}=${value}`),
  ]
}

function nodeOptions(own: string | undefined): string {
  return own ? `${contract.preload} ${own}` : contract.preload
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
