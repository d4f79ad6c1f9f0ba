import * as z from 'zod'
import { childOf } from './keys.ts'

type Schema = z.core.$ZodType

/** Schemas for the value of a key; none for an unknown key. */
export function formsAt(schema: Schema, path: readonly string[]): Schema[] {
  return path.reduce<Schema[]>(formsBelow, formsOf(schema))
}

/** Schemas for the value of one key of a value with these forms. */
export function formsBelow(forms: readonly Schema[], name: string): Schema[] {
  return forms.flatMap(form => childOf(form, name) ?? []).flatMap(formsOf)
}

/** A schema with the schemas that it wraps or chooses from. */
export function formsOf(schema: Schema): Schema[] {
  return [schema, ...innerOf(schema).flatMap(formsOf)]
}

function innerOf(schema: Schema): readonly Schema[] {
  if (schema instanceof z.ZodUnion) return schema.def.options
  if (schema instanceof z.ZodPipe) return [schema.def.in]
  const isWrapper = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
  return isWrapper ? [schema.def.innerType] : []
}
