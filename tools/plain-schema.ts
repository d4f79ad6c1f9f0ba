import { loadConfig, scalarKeys } from '../supervisor/site/config.ts'
import type { Form, PlainSchema } from '../supervisor/site/plain-config.ts'
import { jsonSchema, schemaAt } from './reference/json-schema.ts'

/** Keys that many starts set, that depend on no other key (except the two ports), and whose values are not transformed. */
const plainKeys = [
  'access_log',
  'app.workers',
  'bind_addresses',
  'cert_dir',
  'http_port',
  'https',
  'https_port',
  'log_format',
  'log_level',
  'nginx.worker_processes',
  'public_http_port',
  'public_https_port',
  'run_dir',
  'state_dir',
]
const words = new Set(['type', 'const', 'enum', 'pattern', 'minimum', 'maximum', 'minItems', 'items', 'anyOf'])

/** Part of the schema that a start needs if only plain keys are set. */
export function plainSchema(): PlainSchema {
  const schema = jsonSchema()
  const all = scalarKeys()
  const keys = plainKeys.map(name => {
    const { path, variable, kinds } = all.find(({ key }) => key === name) ?? fail(`no key ${name}`)
    const [first] = path
    const configPath = first === 'app' ? ['apps', ...path] : [...path]
    return [
      name,
      { path: configPath, variable, kinds: [...kinds], form: formOf(schemaAt(schema, path), name) },
    ] as const
  })
  const none = {
    defaults: {},
    file: undefined,
    env: {},
    flags: {},
    command: [],
    readFile: () => fail('nothing to read'),
  }
  const loaded = loadConfig(none)
  return { keys: Object.fromEntries(keys), config: loaded.ok ? loaded.config : fail('the defaults are invalid') }
}

/** Accepted values of a key, without texts for readers. */
function formOf(schema: object, name: string): Form {
  const form = Object.entries(schema).filter(([word]) => !['default', 'description', 'format'].includes(word))
  const unknown = form.find(([word]) => !words.has(word))
  if (unknown) fail(`${name}: readPlainConfig does not support ${unknown[0]}`)
  return Object.fromEntries(
    form.map(([word, value]) => {
      if (word === 'anyOf') return [word, value.filter(isScalar).map((one: object) => formOf(one, name))]
      return [word, word === 'items' ? formOf(value, name) : value]
    }),
  )
}

/** Whether the plain form may contain it; the schema handles objects such as `workers: {min, max}`. */
function isScalar({ type }: { type?: string }): boolean {
  return type !== 'object'
}

function fail(why: string): never {
  throw new Error(why)
}
