import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Version of the installation in a directory. */
export function readVersion(home: string): string {
  return (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version
}
