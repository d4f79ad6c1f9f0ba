import * as z from 'zod'
import type { ScalarKind } from './variables.ts'

/** Key that a variable and a flag can set. */
export interface ScalarKey {
  /** `app.workers` */
  key: string
  path: readonly string[]
  /** `MONOHULL_WORKERS` */
  variable: string
  /** `--workers` */
  flag: string
  kinds: ReadonlySet<ScalarKind>
  description: string
}

/** Every scalar key with a fixed name. The variables and flags of the default app's keys leave out `app`. */
export function scalarKeysOf(schema: z.core.$ZodType): ScalarKey[] {
  return collect(schema, [], {})
}

/** Scalar keys below names chosen in the configuration, such as those in `apps`. They have variables but no flags. */
export function namedScalarKeysOf(schema: z.core.$ZodType, tree: Record<string, unknown>): ScalarKey[] {
  const isDefaultApp = (path: readonly string[]) => path[0] === 'apps' && path[1] === 'app'
  return collect(schema, [], tree).filter(({ path }) => isNamed(schema, path) && !isDefaultApp(path))
}

/** Names of the keys below `path`; an empty path means the top level. */
export function keyNames(whole: z.core.$ZodType, path: readonly string[]): string[] {
  let schema = unwrap(whole)
  for (const name of path) {
    const child = childOf(schema, name)
    if (!child) return []
    schema = objectIn(unwrap(child))
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** Option of a union that has keys, or the schema itself. */
function objectIn(schema: z.core.$ZodType): z.core.$ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema
  return schema.def.options.map(unwrap).find(option => option instanceof z.ZodObject) ?? schema
}

/** Schema of one key of an object, record or list; undefined for unknown keys and other schemas. */
export function childOf(schema: z.core.$ZodType, name: string): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Record<string, z.core.$ZodType>
    return Object.hasOwn(shape, name) ? shape[name] : undefined
  }
  if (schema instanceof z.ZodRecord) return schema.def.valueType
  if (schema instanceof z.ZodArray) return schema.def.element
  return undefined
}

/** Schemas of all keys of an object, record or list. */
export function childrenOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) return Object.values(schema.shape as Record<string, z.core.$ZodType>)
  return [childOf(schema, '')].filter(child => child !== undefined)
}

/** Whether the path contains a name chosen in the configuration. */
function isNamed(whole: z.core.$ZodType, path: readonly string[]): boolean {
  let schema = unwrap(whole)
  for (const name of path) {
    if (schema instanceof z.ZodRecord) return true
    const child = childOf(schema, name)
    if (!child) return false
    schema = unwrap(child)
  }
  return false
}

function collect(schema: z.core.$ZodType, path: string[], tree: unknown): ScalarKey[] {
  const inner = unwrap(schema)
  const at = (name: string) =>
    typeof tree === 'object' && tree !== null ? (tree as Record<string, unknown>)[name] : {}
  if (inner instanceof z.ZodRecord) {
    if (!containsObjects(inner.def.valueType) || typeof tree !== 'object' || tree === null) return []
    return Object.keys(tree).flatMap(name => collect(inner.def.valueType, [...path, name], at(name)))
  }
  if (inner instanceof z.ZodArray && containsObjects(inner.def.element)) return []
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([name, child]) =>
      collect(child, [...path, name], at(name)),
    )
  }
  const words = (path[0] === 'app' ? path.slice(1) : path).join('_').replaceAll('-', '_')
  return [
    {
      key: path.join('.'),
      path,
      variable: `MONOHULL_${words.toUpperCase()}`,
      flag: `--${words.replaceAll('_', '-')}`,
      kinds: kindsOf(inner),
      description: z.globalRegistry.get(schema)?.description ?? z.globalRegistry.get(inner)?.description ?? '',
    },
  ]
}

function containsObjects(schema: z.core.$ZodType): boolean {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodUnion) return inner.def.options.some(containsObjects)
  return inner instanceof z.ZodObject
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.def.innerType)
  }
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in)
  return schema
}

function kindsOf(schema: z.core.$ZodType): Set<ScalarKind> {
  if (schema instanceof z.ZodNumber) return new Set(['number'])
  if (schema instanceof z.ZodBoolean) return new Set(['boolean'])
  if (schema instanceof z.ZodArray) return new Set(['list'])
  if (!(schema instanceof z.ZodUnion)) return new Set(['text'])
  const options = schema.def.options.map(kindsOf)
  const kinds = new Set(options.flatMap(option => [...option]))
  if (kinds.has('text')) kinds.delete('list')
  return kinds
}
