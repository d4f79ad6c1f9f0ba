import * as z from 'zod'
import { parseDuration } from '../../supervisor/base/duration.ts'
import { configSchema } from '../../supervisor/site/schema.ts'

export type JsonSchema = z.core.JSONSchema.BaseSchema

/** JSON Schema of monohull.yaml, for editors. */
export function jsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', override })
  // top-level keys that hold anchors
  schema.patternProperties = { '^x-': {} }
  return {
    ...($schema ? { $schema } : {}),
    $id: 'monohull.schema.json',
    title: 'monohull.yaml',
    description: 'Configuration of monohull. Every key has a default; docs/reference/configuration.md lists them.',
    ...schema,
  }
}

/** Completes the conversion: adds the pattern of durations and the other types of texts, and removes monohull's own marks. */
function override({ jsonSchema: schema }: { jsonSchema: JsonSchema }): void {
  delete schema.secret
  if (schema.asWritten) schema.type = ['string', 'number', 'boolean'] as never
  delete schema.asWritten
  if (schema.type !== 'string' || schema.pattern !== undefined || typeof schema.default !== 'string') return
  if (parseDuration(schema.default) !== undefined) schema.pattern = '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$'
}

/** Part of the schema for one key; `[]` in the path stands for the items of a list, `*` for any name. */
export function schemaAt(schema: JsonSchema, path: readonly string[]): JsonSchema {
  return path.reduce<JsonSchema>((node, part) => {
    const inner = node.anyOf?.find(option => typeof option === 'object' && option.properties !== undefined) ?? node
    if (typeof inner === 'boolean') return {}
    const child = part === '[]' ? inner.items : part === '*' ? inner.additionalProperties : inner.properties?.[part]
    return typeof child === 'object' && !Array.isArray(child) ? child : {}
  }, schema)
}
