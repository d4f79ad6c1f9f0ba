import { messageOf } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { keyNames, readScalar, type ScalarKey, scalarKeys } from './keys.ts'
import { type Problem, secretMask } from './report.ts'
import { type Config, configSchema } from './schema.ts'
import type { YamlSource } from './yaml-source.ts'

/** Everything that a configuration is made of, lowest precedence first. */
export interface ConfigSources {
  /** Values for this installation (ports and directories of the image or the host), by key. */
  defaults: Record<string, unknown>
  /** The configuration file, parsed; undefined when there is none. */
  file: YamlSource | undefined
  env: Record<string, string | undefined>
  /** Texts of command-line flags by key (`app.workers`). */
  flags: Record<string, string>
  /** The command given on the command line, already split into words. */
  command: readonly string[]
  /** Reads the file that a `MONOHULL_…_FILE` variable names; throws when it cannot. */
  readFile: (path: string) => string
}

export type LoadResult = { ok: true; config: Config } | { ok: false; problems: Problem[] }

interface Assigned {
  source: string
  /** Read from a file, as secrets are: never to be printed. */
  isSecret: boolean
}

/** Variables that Kubernetes adds for a Service called monohull; they are not ours. */
const kubernetesVariable = /^MONOHULL_(SERVICE_(HOST|PORT)|PORT)(_|$)/
const noFile: YamlSource = { value: {}, problems: [], lineOf: () => undefined }
const ownVariables = new Set(['MONOHULL_CONFIG', 'MONOHULL_IMAGE'])

/** Merges the sources and checks the result; all problems at once, each with its key, source, value and fix. */
export function loadConfig(sources: ConfigSources): LoadResult {
  const keys = scalarKeys()
  const problems: Problem[] = []
  const tree: Record<string, unknown> = {}
  const assigned = new Map<string, Assigned>()
  const assign = (key: string, value: unknown, source: string, isSecret = false) => {
    setPath(tree, key.split('.'), value)
    assigned.set(key, { source, isSecret })
  }

  for (const [key, value] of Object.entries(sources.defaults)) assign(key, value, 'default')
  const yaml = sources.file ?? noFile
  problems.push(...yaml.problems)
  mergeInto(tree, yaml.value)
  for (const { key, value, source, isSecret } of readEnvironment(sources, keys, problems)) {
    assign(key, value, source, isSecret)
  }
  for (const scalar of keys) {
    const text = sources.flags[scalar.key]
    if (text !== undefined) assign(scalar.key, readScalar(text, scalar.kinds), scalar.flag)
  }
  if (sources.command.length > 0) assign('app.command', [...sources.command], 'the command line')

  const parsed = configSchema.safeParse(tree)
  if (parsed.success && problems.length === 0) return { ok: true, config: parsed.data }
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      problems.push(...issue.keys.map(name => unknownKey([...path, name], yaml.lineOf)))
      continue
    }
    const key = path.join('.')
    const found = assigned.get(key) ?? assigned.get(path.slice(0, -1).join('.'))
    problems.push({
      key,
      source: found?.source ?? yaml.lineOf(path) ?? 'default',
      value: found?.isSecret || /^app\.env(\.|$)/.test(key) ? secretMask : getPath(tree, path),
      problem: issue.message,
      fix: fixFor(key, issue.message),
    })
  }
  return { ok: false, problems }
}

function readEnvironment(sources: ConfigSources, keys: ScalarKey[], problems: Problem[]) {
  const byVariable = new Map(keys.map(key => [key.variable, key]))
  const found: { key: string; value: unknown; source: string; isSecret: boolean }[] = []
  const concurrency = sources.env.WEB_CONCURRENCY
  if (concurrency) {
    found.push({
      key: 'app.workers',
      value: readScalar(concurrency, new Set(['number'])),
      source: 'WEB_CONCURRENCY',
      isSecret: false,
    })
  }
  for (const [variable, text] of Object.entries(sources.env)) {
    if (!variable.startsWith('MONOHULL_') || text === undefined) continue
    if (ownVariables.has(variable) || kubernetesVariable.test(variable)) continue
    const direct = byVariable.get(variable)
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
          value: readScalar(sources.readFile(text).trimEnd(), viaFile.kinds),
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

function unknownKey(path: string[], lineOf: (path: string[]) => string | undefined): Problem {
  const siblings = keyNames(path.slice(0, -1))
  const guess = nearest(path.at(-1) ?? '', siblings)
  return {
    key: path.join('.'),
    source: lineOf(path) ?? 'the configuration',
    value: undefined,
    problem: 'is not a known key',
    fix: guess ? `did you mean ${[...path.slice(0, -1), guess].join('.')}?` : `known here: ${siblings.join(', ')}`,
  }
}

/** By what follows the prefix that they all share. */
function nearestVariable(variable: string, known: readonly string[]): string | undefined {
  const prefix = 'MONOHULL_'
  const guess = nearest(
    variable.slice(prefix.length),
    known.map(name => name.slice(prefix.length)),
  )
  return guess && prefix + guess
}

function fixFor(key: string, message: string): string {
  if (message.startsWith('expected ')) return `set ${key} to ${message.slice('expected '.length)}`
  if (key === 'app.command') return 'no shell runs the command; to have one, write [sh, -c, "…"]'
  return 'docs/reference/configuration.md says what it takes'
}

function setPath(tree: Record<string, unknown>, path: string[], value: unknown): void {
  let node = tree
  for (const part of path.slice(0, -1)) {
    const child = own(node, part)
    if (isRecord(child)) {
      node = child
    } else {
      const made = {}
      define(node, part, made)
      node = made
    }
  }
  define(node, path.at(-1) ?? '', value)
}

/** The file may hold any key, `__proto__` too: only a node's own properties count, and only they are written. */
function own(node: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(node, key) ? node[key] : undefined
}

function define(node: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true })
}

function getPath(tree: unknown, path: string[]): unknown {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
