import { exitCode, OperatorError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { formatTable } from '../base/text-table.ts'
import type { World } from '../base/world.ts'
import type { EffectiveKey } from '../config/effective.ts'
import { formatProblems } from '../config/report.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { findRunning } from '../run/adapters/instance.ts'
import { runDirOf, socketOf } from './control.ts'
import { toJson } from './json.ts'
import { type CommandLine, describeSelectedConfiguration } from './load.ts'
import { createPaint } from './paint.ts'

/** Parsed arguments of `monohull config`. */
export interface ConfigArguments {
  /** Key to show with those below it; undefined: all. */
  key: string | undefined
  /** Whether keys with their default are left out. */
  isSet: boolean
  isJson: boolean
}

/**
 * Prints the keys of the configuration with their values and sources: those of the running instance, or, if none is running, those that a
 * start would use.
 */
export async function showConfig(commandLine: CommandLine, world: World, given: ConfigArguments): Promise<number> {
  const runDir = await runDirOf(commandLine, world)
  if (findRunning(runDir) !== undefined) {
    const { body } = await askAdmin(await socketOf(commandLine, world), { method: 'GET', path: '/config' })
    return print((body as { keys: EffectiveKey[] }).keys, world, given)
  }
  const described = await describeSelectedConfiguration(commandLine, world)
  if (!described.ok) {
    process.stderr.write(`${formatProblems(described.problems)}\n`)
    return exitCode.config
  }
  process.stderr.write(`monohull: no monohull is running in ${runDir}: these are the values that a start would use\n`)
  return print(described.keys, world, given)
}

function print(all: readonly EffectiveKey[], world: World, { key, isSet, isJson }: ConfigArguments): number {
  const below = all.filter(one => key === undefined || one.key === key || one.key.startsWith(`${key}.`))
  if (key !== undefined && below.length === 0) throw unknownKey(key, all)
  const shown = below.filter(({ source }) => !isSet || source !== 'default')
  if (isJson) {
    process.stdout.write(toJson(shown))
    return exitCode.ok
  }
  const paint = createPaint(process.stdout, world.env)
  const table = formatTable([
    ['KEY', 'VALUE', 'FROM'],
    ...shown.map(({ key, value, source }) => [key, formatValue(value), source]),
  ])
  const [heading = '', ...lines] = table.trimEnd().split('\n')
  const rows = lines.map((line, index) => (shown[index]?.source === 'default' ? paint.dim(line) : line))
  process.stdout.write([paint.bold(heading), ...rows, ''].join('\n'))
  return exitCode.ok
}

function unknownKey(key: string, all: readonly EffectiveKey[]): OperatorError {
  const known = all.flatMap(one => [one.key, one.key.split('.')[0] ?? ''])
  const guess = nearest(key, known)
  return new OperatorError(`${key} is not a key of this configuration`, {
    fix: guess === undefined ? 'monohull config show lists all keys' : `did you mean ${guess}?`,
    code: exitCode.usage,
  })
}

const longest = 100

function formatValue(value: unknown): string {
  if (value === undefined || value === null) return '-'
  const text = Array.isArray(value) ? `[${value.map(formatItem).join(', ')}]` : formatItem(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function formatItem(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === '' || /[\n\t]/.test(text) ? JSON.stringify(text) : text
}
