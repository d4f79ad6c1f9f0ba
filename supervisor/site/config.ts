import { intendedValue } from '../config/intended-values.ts'
import { namedScalarKeysOf, type ScalarKey, scalarKeysOf } from '../config/keys.ts'
import { type LoadResult, loadBySchema } from '../config/load.ts'
import type { ConfigSources } from '../config/merge.ts'
import { isSecretKey } from '../config/secrets.ts'
import { parseYaml, type YamlSource } from '../config/yaml-source.ts'
import { type Config, configSchema } from './schema.ts'

/** Scalar keys with a fixed name. */
export function scalarKeys(): ScalarKey[] {
  return scalarKeysOf(configSchema)
}

/** Scalar keys below names that the configuration chooses, such as those of `apps`. */
export function namedScalarKeys(tree: Record<string, unknown>): ScalarKey[] {
  return namedScalarKeysOf(configSchema, tree)
}

/** Parsed configuration file, with the source location of each key. */
export function parseConfigFile(file: { path: string; text: string }): YamlSource {
  return parseYaml(file, {
    isSecretKey: path => isSecretKey(configSchema, path),
    intended: tree => intendedValue(configSchema, tree),
  })
}

/** Configuration of this site, or all problems at once, each with its key, source, value and fix. */
export function loadConfig(sources: ConfigSources): LoadResult<Config> {
  return loadBySchema(configSchema, sources)
}
