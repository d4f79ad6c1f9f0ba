import { configSchema } from '../../supervisor/site/schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** Values that hardly any key accepts; the error then describes the accepted ones. */
const probes: unknown[] = [-1, '\u0000 not this', ['\u0000 not this']]

/** Values of a key in the words of the schema's errors: `a port from 0 to 65535`. */
export function describeValue(path: readonly string[], schema: JsonSchema): string {
  for (const probe of probes) {
    const tree = path.reduceRight<unknown>((value, part) => ({ [part]: value }), probe)
    const message = configSchema
      .safeParse(tree)
      .error?.issues.find(issue => path.every((part, index) => issue.path[index] === part))
      ?.message.match(/^expected (.*)/)?.[1]
    if (message) return Array.isArray(probe) && schema.type === 'array' ? `list; each ${message}` : message
  }
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`
  return schema.type === 'string' ? 'a text' : String(schema.type ?? 'anything')
}
