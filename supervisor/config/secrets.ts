import * as z from 'zod'
import { childOf, childrenOf } from './keys.ts'

type Schema = z.core.$ZodType

/** Whether the schema marks a key as a secret, or one above it. */
export function isSecretKey(schema: Schema, path: readonly string[]): boolean {
  return path.some((_, index) => formsAt(schema, path.slice(0, index + 1)).some(isMarked))
}

/** Whether there are secrets below a key, in a value of the right form at least. */
export function holdsSecrets(schema: Schema, path: readonly string[]): boolean {
  return formsAt(schema, path).some(holdsMarked)
}

function isMarked(schema: Schema): boolean {
  return z.globalRegistry.get(schema)?.secret === true
}

function holdsMarked(schema: Schema): boolean {
  return childrenOf(schema)
    .flatMap(formsOf)
    .some(form => isMarked(form) || holdsMarked(form))
}

/** What the schema takes at a key; none when it does not know it. */
function formsAt(schema: Schema, path: readonly string[]): Schema[] {
  return path.reduce<Schema[]>(
    (forms, name) => forms.flatMap(form => childOf(form, name) ?? []).flatMap(formsOf),
    formsOf(schema),
  )
}

/** A schema, and what it wraps or chooses from: a mark may be on any of them. */
function formsOf(schema: Schema): Schema[] {
  return [schema, ...innerOf(schema).flatMap(formsOf)]
}

function innerOf(schema: Schema): readonly Schema[] {
  if (schema instanceof z.ZodUnion) return schema.def.options
  if (schema instanceof z.ZodPipe) return [schema.def.in]
  const isWrapper = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
  return isWrapper ? [schema.def.innerType] : []
}
