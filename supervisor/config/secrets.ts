import * as z from 'zod'
import { childOf, childrenOf } from './keys.ts'

type Schema = z.core.$ZodType

/** Whether the schema marks a key, or one of its parents, as secret. */
export function isSecretKey(schema: Schema, path: readonly string[]): boolean {
  return path.some((_, index) => formsAt(schema, path.slice(0, index + 1)).some(isMarked))
}

/** Whether a valid value of a key contains secrets. */
export function containsSecrets(schema: Schema, path: readonly string[]): boolean {
  return formsAt(schema, path).some(containsMarked)
}

function isMarked(schema: Schema): boolean {
  return z.globalRegistry.get(schema)?.secret === true
}

function containsMarked(schema: Schema): boolean {
  return childrenOf(schema)
    .flatMap(formsOf)
    .some(form => isMarked(form) || containsMarked(form))
}

/** Schemas for the value of a key; none for an unknown key. */
function formsAt(schema: Schema, path: readonly string[]): Schema[] {
  return path.reduce<Schema[]>(
    (forms, name) => forms.flatMap(form => childOf(form, name) ?? []).flatMap(formsOf),
    formsOf(schema),
  )
}

/** A schema with the schemas that it wraps or chooses from. Any of them may carry the mark. */
function formsOf(schema: Schema): Schema[] {
  return [schema, ...innerOf(schema).flatMap(formsOf)]
}

function innerOf(schema: Schema): readonly Schema[] {
  if (schema instanceof z.ZodUnion) return schema.def.options
  if (schema instanceof z.ZodPipe) return [schema.def.in]
  const isWrapper = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
  return isWrapper ? [schema.def.innerType] : []
}
