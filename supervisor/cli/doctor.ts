import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import type { Problem } from '../config/report.ts'
import { readableEnv } from '../config/variables.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { type Findings, inspect } from '../run/adapters/inspection.ts'
import { findRunning } from '../run/adapters/instance.ts'
import { adminSocketName } from '../run/adapters/instance-search.ts'
import { bySeverity, diagnose } from '../run/diagnosis/diagnosis.ts'
import type { Finding } from '../run/diagnosis/finding.ts'
import type { Status } from '../run/status.ts'
import { scalarKeys } from '../site/config.ts'
import { readVariablesOf } from './adapters/start-environment.ts'
import { runDirOf } from './control.ts'
import { toJson } from './json.ts'
import { type CommandLine, resolveConfiguration } from './load.ts'
import { createPaint } from './paint.ts'

const areas = 'configuration, stop, memory, volumes, clock, names, certificates, disk, descriptors, ports'

/** Checks the configuration, the machine and the running instance, and prints each finding with its fix. The exit code is 78 if there is a problem. */
export async function doctor(given: CommandLine, world: World, { isJson }: { isJson: boolean }): Promise<number> {
  const runDir = await runDirOf(given, world)
  const pid = findRunning(runDir)
  const started = pid === undefined || !isPlain(given) ? undefined : startOf(pid)
  const commandLine = started
    ? { ...started.commandLine, flags: { ...started.commandLine.flags, ...given.flags } }
    : given
  // relative paths are those of the instance
  if (started) process.chdir(started.directory)
  const inWorld = started ? { ...world, env: readableEnv(started.env) } : world
  const running = pid === undefined ? undefined : await readStatus(runDir)
  const resolved = await resolveConfiguration(commandLine, inWorld)
  const findings = resolved.ok
    ? [
        ...describe(await inspect(resolved.settings, inWorld)),
        ...diagnose(resolved.settings, await readAll(resolved.settings, inWorld, running)),
      ]
    : describe({ problems: resolved.problems, warnings: [], notes: [] })
  const sorted = bySeverity(findings)
  if (isJson) process.stdout.write(toJson({ findings: sorted }))
  else print(sorted, world)
  return sorted.some(({ level }) => level === 'problem') ? exitCode.config : exitCode.ok
}

async function readAll(...[settings, world, running]: [...Parameters<typeof inspect>, Status | undefined]) {
  const { readFacts } = await import('../run/diagnosis/adapters/facts.ts')
  return readFacts(settings, { world, running })
}

/** Whether a command line names no app, no file and no key but the run directory. */
function isPlain({ configFile, flags, command }: CommandLine): boolean {
  return configFile === undefined && command.length === 0 && Object.keys(flags).every(key => key === 'run_dir')
}

/** How an instance was started. */
interface Start {
  commandLine: CommandLine
  env: Record<string, string | undefined>
  directory: string
}

/** Command line, environment and directory of a running instance, as far as this user may read them: `docker exec` has another command. */
function startOf(pid: number): Start | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    const env = readVariablesOf(pid)
    const begin = words.findIndex((word, index) => index > 0 && /^[^-].*\.[cm]?[jt]s$/.test(word))
    return begin === -1 || env === undefined
      ? undefined
      : { commandLine: parseWords(words.slice(begin + 1)), env, directory: readlinkSync(`/proc/${pid}/cwd`) }
  } catch {
    return undefined
  }
}

/** Flags and command of `run`, whose flags all have a value. */
function parseWords([name, ...others]: readonly string[]): CommandLine {
  const words = name === 'run' || name === 'dev' ? others : [name ?? '', ...others].filter(Boolean)
  const keys = new Map(scalarKeys().map(({ key, flag }) => [flag as string, key as string]))
  const parsed: CommandLine = { configFile: undefined, flags: {}, command: [] }
  let index = 0
  for (; words[index]?.startsWith('--'); index++) {
    const [flag = '', given] = (words[index] ?? '').split(/=(.*)/s)
    const value = given ?? words[++index] ?? ''
    const key = keys.get(flag)
    if (flag === '--config') parsed.configFile = value
    else if (key !== undefined) parsed.flags[key] = value
  }
  return { ...parsed, command: words.slice(index) }
}

async function readStatus(runDir: string): Promise<Status | undefined> {
  try {
    return (await askAdmin(join(runDir, adminSocketName), { method: 'GET', path: '/status' })).body as Status
  } catch {
    return undefined
  }
}

function describe({ problems, warnings, notes }: Findings): Finding[] {
  return [
    ...problems.map(
      ({ key, source, problem, fix }: Problem): Finding => ({
        level: 'problem',
        about: key || source,
        text: `${key || source}: ${problem} (from ${source})`,
        fix,
      }),
    ),
    ...warnings.map((text): Finding => ({ level: 'warning', about: 'configuration', text })),
    ...notes.map((text): Finding => ({ level: 'note', about: 'configuration', text })),
  ]
}

function print(findings: readonly Finding[], { env }: World): void {
  const paint = createPaint(process.stdout, env)
  const labels = { problem: paint.bad('problem'), warning: paint.byLevel('warn', 'warning'), note: paint.dim('note') }
  for (const { level, text, fix } of findings)
    process.stdout.write(`${labels[level]}: ${text}\n${fix === undefined ? '' : `  fix: ${fix}\n`}`)
  const count = (level: Finding['level']) => findings.filter(found => found.level === level).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const plural = (number: number, word: string) => `${number || 'no'} ${word}${number === 1 ? '' : 's'}`
  process.stdout.write(`monohull: ${plural(problems, 'problem')}, ${plural(warnings, 'warning')}; checked ${areas}\n`)
}
