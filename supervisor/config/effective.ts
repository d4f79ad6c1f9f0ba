import * as z from 'zod'
import { secretMask } from '../base/secret.ts'
import { formsAt } from './forms.ts'
import { intendedValue } from './intended-values.ts'
import { keyNames, namedScalarKeysOf, scalarKeysOf } from './keys.ts'
import { type ConfigSources, getPath, isRecord, type MergedSources, mergeSources } from './merge.ts'
import { withoutCredentials } from './report.ts'
import { isSecretKey } from './secrets.ts'

/** Key of the configuration with its value in force. */
export interface EffectiveKey {
  /** `app.workers`, `routes.0.path` */
  key: string
  /** As it would be written in the file; a secret is masked. Undefined if it is not set and has no default. */
  value?: unknown
  /** `monohull.yaml:7`, `MONOHULL_WORKERS`, `--workers`, `the command line` or `default`. */
  source: string
}

/** Every key with a value in force and where that comes from, in the order of the schema. The sources must be valid. */
export function effectiveKeysOf(schema: z.ZodType, sources: ConfigSources): EffectiveKey[] {
  const merged = mergeSources(schema, sources)
  const tree = intendedValue(schema, merged.tree) as Record<string, unknown>
  const hasNamedApps = tree.apps !== undefined
  const named = namedScalarKeysOf(schema, { ...tree, apps: tree.apps ?? {} })
  const ownApp = hasNamedApps && isRecord(tree.apps) && 'app' in tree.apps ? [['apps', 'app']] : []
  const scalars = [...scalarKeysOf(schema), ...named].map(({ path }) => path)
  const known = [
    ...scalars.filter(([first]) => first !== 'app' || !hasNamedApps),
    // the app called app has the keys of `app`
    ...ownApp.flatMap(at => scalars.filter(([first]) => first === 'app').map(path => [...at, ...path.slice(1)])),
  ]
  const listed = new Set(known.map(path => path.join('.')))
  const others = leavesOf(tree, []).filter(path => !listed.has(path.join('.')))
  const order = keyNames(schema, [])
  return [...known, ...others]
    .map(path => describeKey(schema, { ...merged, tree }, path))
    .sort((one, other) => positionOf(one) - positionOf(other))

  function positionOf({ key }: EffectiveKey): number {
    return order.indexOf(key.split('.')[0] ?? '')
  }
}

function describeKey(
  schema: z.ZodType,
  { tree, assigned, yaml }: MergedSources,
  path: readonly string[],
): EffectiveKey {
  const key = path.join('.')
  const set = assigned.get(key)
  const value = getPath(tree, [...path])
  if (value === undefined) return { key, value: defaultOf(schema, path), source: 'default' }
  const isInFile = getPath(yaml.value, [...path]) !== undefined
  // the file overrides the defaults of the installation and the platform
  const source = set && (!set.isDefault || !isInFile) ? set.source : yaml.lineOf(path)
  const isHidden = set?.isSecret || isSecretKey(schema, path)
  return { key, value: isHidden ? secretMask : shown(value), source: source ?? 'default' }
}

function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  return typeof value === 'string' ? withoutCredentials(value) : value
}

function defaultOf(schema: z.ZodType, path: readonly string[]): unknown {
  const form = formsAt(schema, path).find(one => one instanceof z.ZodDefault)
  return form instanceof z.ZodDefault ? form.def.defaultValue : undefined
}

/** Paths of all values below a node that have no keys themselves. A list of plain values is one. */
function leavesOf(node: unknown, path: string[]): string[][] {
  if (isRecord(node)) return Object.entries(node).flatMap(([name, child]) => leavesOf(child, [...path, name]))
  if (Array.isArray(node) && node.some(isRecord))
    return node.flatMap((child, index) => leavesOf(child, [...path, String(index)]))
  return node === undefined ? [] : [path]
}
