import type { ConfigSources } from '../config/load.ts'
import { isSetting, readScalar, type ScalarKind } from '../config/variables.ts'
import type { Config } from './schema.ts'

/** The forms that a plain value may have: a part of JSON Schema. */
export interface Form {
  type?: 'boolean' | 'integer' | 'string' | 'array'
  const?: string
  enum?: string[]
  pattern?: string
  minimum?: number
  maximum?: number
  minItems?: number
  items?: Form
  anyOf?: Form[]
}

/** A key that says all by itself: what it may be depends on no other. */
export interface PlainKey {
  /** In the finished configuration: the app's keys stand under `apps.app`. */
  path: string[]
  variable: string
  kinds: readonly ScalarKind[]
  form: Form
}

/** What the schema says of the plain keys, by name, and the configuration without any; written when monohull is built. */
export interface PlainSchema {
  keys: Record<string, PlainKey>
  config: Config
}

/**
 * The configuration where nothing but plain keys is set, and all is well: what the schema would make of it, without the time
 * and the memory that the schema takes. Undefined: that is for the schema to say.
 */
export function readPlainConfig(schema: PlainSchema | undefined, sources: ConfigSources): Config | undefined {
  if (!schema || sources.file || [sources.overrides, sources.flags].some(given => Object.keys(given ?? {}).length > 0))
    return undefined
  const config = structuredClone(schema.config)
  const set = (key: PlainKey | undefined, value: unknown) => {
    if (!key || !fits(value, key.form)) return false
    setPath(config, key.path, value)
    return true
  }
  const setText = (key: PlainKey | undefined, text: string) => set(key, key && readScalar(text, new Set(key.kinds)))

  const variables = new Map(Object.values(schema.keys).map(key => [key.variable, key]))
  const { WEB_CONCURRENCY: concurrency } = sources.env
  const isPlain =
    Object.entries(sources.defaults).every(([key, value]) => set(schema.keys[key], value)) &&
    (!concurrency || setText(schema.keys['app.workers'], concurrency)) &&
    Object.entries(sources.env).every(
      ([variable, text]) => text === undefined || !isSetting(variable) || setText(variables.get(variable), text),
    ) &&
    sources.command[0] !== '' &&
    (config.http_port !== config.https_port || config.http_port === 0)
  const { app } = config.apps
  if (!isPlain || !app) return undefined
  if (sources.command.length > 0) app.command = [...sources.command]
  return config
}

function fits(value: unknown, form: Form): boolean {
  if (form.anyOf) return form.anyOf.some(one => fits(value, one))
  switch (form.type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer': {
      const { minimum = -Infinity, maximum = Infinity } = form
      return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum
    }
    case 'array': {
      const { items = {}, minItems = 0 } = form
      return Array.isArray(value) && value.length >= minItems && value.every(item => fits(item, items))
    }
    case 'string':
      if (typeof value !== 'string') return false
      if (form.const !== undefined) return value === form.const
      if (form.enum) return form.enum.includes(value)
      return form.pattern !== undefined && new RegExp(form.pattern).test(value)
    default:
      return false
  }
}

function setPath(config: Config, path: readonly string[], value: unknown): void {
  let node = config as unknown as Record<string, unknown>
  for (const name of path.slice(0, -1)) node = node[name] as Record<string, unknown>
  node[path.at(-1) ?? ''] = value
}
