import * as z from 'zod'
import { formsAt, formsOf } from './forms.ts'
import { childrenOf } from './keys.ts'

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
