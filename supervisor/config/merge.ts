import type * as z from 'zod'
import { messageOf } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { namedScalarKeysOf, type ScalarKey, scalarKeysOf } from './keys.ts'
import type { Problem } from './report.ts'
import { isSetting, readScalar } from './variables.ts'
import type { YamlSource } from './yaml-source.ts'

/** Sources of a configuration, lowest precedence first. */
export interface ConfigSources {
  /** Defaults of this installation (ports and directories of the image or the host), by key. */
  defaults: Record<string, unknown>
  /** Variables that some of them come from, by key. */
  defaultVariables?: Readonly<Record<string, string>>
  /** The parsed configuration file; undefined if there is none. */
  file: YamlSource | undefined
  /** Values by which the command overrides the file, by key. `app.` stands for every app. */
  overrides?: Record<string, unknown>
  env: Record<string, string | undefined>
  /** Values of command-line flags, by key (`app.workers`). */
  flags: Record<string, string>
  /** Words of the command on the command line. */
  command: readonly string[]
  /** Reads the file named by a `MONOHULL_…_FILE` variable, or throws. */
  readFile: (path: string) => string
}

/** Source of a value that the file does not set. */
export interface Assigned {
  source: string
  /** Whether the file overrides it. */
  isDefault: boolean
  /** Whether the value was read from a file and must not be printed. */
  isSecret: boolean
}

const noFile: YamlSource = { value: {}, problems: [], lineOf: () => undefined }

/** Sources merged into one tree, before it is validated. */
export interface MergedSources {
  tree: Record<string, unknown>
  /** What the file did not set, by the key in the tree. */
  assigned: ReadonlyMap<string, Assigned>
  /** Problems of the file's syntax and of the environment. The validation adds to them. */
  problems: Problem[]
  yaml: YamlSource
}

/** Merges the sources: later ones override earlier ones, key by key. */
export function mergeSources(schema: z.ZodType, sources: ConfigSources): MergedSources {
  const keys = scalarKeysOf(schema)
  const problems: Problem[] = []
  const tree: Record<string, unknown> = {}
  const assigned = new Map<string, Assigned>()
  const assign = (
    key: string,
    value: unknown,
    source: string,
    { isSecret = false, isDefault = false }: Partial<Assigned> = {},
  ) => {
    const path = pathOf(key, tree)
    setPath(tree, path, value)
    assigned.set(path.join('.'), { source, isSecret, isDefault })
  }

  for (const [key, value] of Object.entries(sources.defaults))
    assign(key, value, sources.defaultVariables?.[key] ?? 'default', { isDefault: true })
  const yaml = sources.file ?? noFile
  problems.push(...yaml.problems)
  mergeInto(tree, yaml.value)
  for (const [key, value] of Object.entries(sources.overrides ?? {}))
    for (const target of everyApp(key, tree)) assign(target, value, 'monohull dev')
  // only a file can name apps
  const named = sources.file && hasOtherSetting(sources.env, keys) ? namedScalarKeysOf(schema, tree) : []
  const concurrency = sources.env.WEB_CONCURRENCY
  // platforms set it unasked, and it concerns a single app
  if (concurrency && !isWithoutDefaultApp(tree))
    assign('app.workers', readScalar(concurrency, new Set(['number'])), 'WEB_CONCURRENCY')
  for (const { key, value, source, isSecret } of readEnvironment(sources, [...keys, ...named], problems)) {
    assign(key, value, source, { isSecret })
  }
  for (const scalar of keys) {
    const text = sources.flags[scalar.key]
    if (text !== undefined) assign(scalar.key, readScalar(text, scalar.kinds), scalar.flag)
  }
  if (sources.command.length > 0) assign('app.command', [...sources.command], 'the command line')
  return { tree, assigned, problems, yaml }
}

/** Path of a key in the tree. If there are several apps, the one called `app` is under `apps`. */
function pathOf(key: string, tree: Record<string, unknown>): string[] {
  const path = key.split('.')
  const apps = own(tree, 'apps')
  return path[0] === 'app' && isRecord(apps) && Object.hasOwn(apps, 'app') ? ['apps', ...path] : path
}

/** Key such as `app.workers` for every app in the file. */
function everyApp(key: string, tree: Record<string, unknown>): string[] {
  const apps = own(tree, 'apps')
  if (!isRecord(apps) || !key.startsWith('app.')) return [key]
  return Object.keys(apps).map(name => `apps.${name}.${key.slice('app.'.length)}`)
}

function isWithoutDefaultApp(tree: Record<string, unknown>): boolean {
  const apps = own(tree, 'apps')
  return isRecord(apps) && !Object.hasOwn(apps, 'app')
}

/** Whether a variable may set a key below a name that the file chooses. A thousand names have many keys. */
function hasOtherSetting(env: ConfigSources['env'], keys: readonly ScalarKey[]): boolean {
  const fixed = new Set(keys.map(({ variable }) => variable))
  return Object.keys(env).some(name => isSetting(name) && !fixed.has(name) && !fixed.has(name.replace(/_FILE$/, '')))
}

function readEnvironment(sources: ConfigSources, keys: ScalarKey[], problems: Problem[]) {
  const byVariable = new Map(keys.map(key => [key.variable, key]))
  const found: { key: string; value: unknown; source: string; isSecret: boolean }[] = []
  for (const [variable, text] of Object.entries(sources.env)) {
    if (text === undefined || !isSetting(variable)) continue
    const direct = byVariable.get(variable)
    const twin = keys.find(key => key.variable === variable && key !== direct)
    if (direct && twin) {
      const fix = 'rename one of the two, or set both in the file'
      const problem = `is also the variable of ${twin.key}`
      problems.push({ key: direct.key, source: variable, value: undefined, problem, fix })
      continue
    }
    const viaFile = variable.endsWith('_FILE') ? byVariable.get(variable.slice(0, -'_FILE'.length)) : undefined
    if (direct)
      found.push({ key: direct.key, value: readScalar(text, direct.kinds), source: variable, isSecret: false })
    else if (viaFile && sources.env[viaFile.variable] !== undefined) {
      problems.push({
        key: viaFile.key,
        source: `${viaFile.variable} and ${variable}`,
        value: undefined,
        problem: 'is set by both',
        fix: `unset one of them`,
      })
    } else if (viaFile) {
      try {
        found.push({
          key: viaFile.key,
          value: readScalar(sources.readFile(text).trim(), viaFile.kinds),
          source: variable,
          isSecret: true,
        })
      } catch (error) {
        problems.push({
          key: viaFile.key,
          source: variable,
          value: text,
          problem: messageOf(error),
          fix: 'name a readable file',
        })
      }
    } else {
      const guess = nearestVariable(variable, [...byVariable.keys()])
      problems.push({
        key: variable,
        source: 'the environment',
        value: undefined,
        problem: 'is not a variable of monohull',
        fix: guess ? `did you mean ${guess}?` : 'remove it; docs/reference/configuration.md lists the variables',
      })
    }
  }
  return found
}

/** Most similar variable, compared without the common prefix. */
function nearestVariable(variable: string, known: readonly string[]): string | undefined {
  const prefix = 'MONOHULL_'
  const guess = nearest(
    variable.slice(prefix.length).toUpperCase(),
    known.map(name => name.slice(prefix.length)),
  )
  return guess && prefix + guess
}

function setPath(tree: Record<string, unknown>, path: string[], value: unknown): void {
  let node = tree
  for (const part of path.slice(0, -1)) {
    const child = own(node, part)
    if (isRecord(child)) {
      node = child
    } else {
      const section = {}
      define(node, part, section)
      node = section
    }
  }
  define(node, path.at(-1) ?? '', value)
}

/** Own property of a node. The file may contain any key, even `__proto__`, so only own properties are read and written. */
function own(node: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(node, key) ? node[key] : undefined
}

function define(node: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Value at a path; undefined if there is none. */
export function getPath(tree: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (node, part) => (isRecord(node) ? node[part] : Array.isArray(node) ? node[Number(part)] : undefined),
    tree,
  )
}

function mergeInto(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(source)) {
    const present = own(target, key)
    if (isRecord(value) && isRecord(present)) mergeInto(present, value)
    else define(target, key, value)
  }
}

/** Whether a value has keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
