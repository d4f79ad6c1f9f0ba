import { type EffectiveKey, effectiveKeysOf } from '../config/effective.ts'
import type { ConfigSources } from '../config/merge.ts'
import { configSchema } from './schema.ts'

/** Every key of valid sources with its value in force and where that comes from. */
export function effectiveKeys(sources: ConfigSources): EffectiveKey[] {
  return effectiveKeysOf(configSchema, sources)
}
