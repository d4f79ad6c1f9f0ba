import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { referenceFiles } from './reference/files.ts'

/** Writes docs/reference/, all of it generated from the configuration's schema and the program's own help. */
const home = dirname(import.meta.dirname)

for (const [path, text] of await referenceFiles(home)) {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}
