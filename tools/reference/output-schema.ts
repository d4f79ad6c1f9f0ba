import { join } from 'node:path'
import { createGenerator } from 'ts-json-schema-generator'

/** Path of the schema in the repository. */
export const outputSchemaPath = 'docs/reference/output.schema.json'

/** JSON Schema of what the commands print with `--json`, from the types that the program uses: a property for each command. */
export function outputSchema(home: string): string {
  const schema = createGenerator({
    path: join(home, 'tools/reference/command-output.ts'),
    tsconfig: join(home, 'tsconfig.json'),
    type: 'CommandOutput',
    skipTypeCheck: true,
    // a later version may add keys
    additionalProperties: true,
  }).createSchema('CommandOutput')
  return `${JSON.stringify(schema, null, 2)}\n`
}
