import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { referenceFiles } from './reference/files.ts'
import { outputSchema, outputSchemaPath } from './reference/output-schema.ts'

// Writes docs/reference/, generated from the schema of the configuration and the program's help.
const home = dirname(import.meta.dirname)

for (const [path, text] of [...(await referenceFiles(home)), [outputSchemaPath, outputSchema(home)] as const]) {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}
