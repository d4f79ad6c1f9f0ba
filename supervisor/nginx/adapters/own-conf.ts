import { resolve } from 'node:path'
import { describeUnread, readRegularFile } from '../../base/adapters/regular-file.ts'
import type { OwnNginxConf } from '../own-conf.ts'

/** Required includes. Without them nginx would run in the background or serve nothing, and its own test would not notice. */
const required = ['rendered/main.conf', 'rendered/http.conf']

/** The user's own nginx.conf, if one is configured. Reports problems with it. */
export function readOwnNginxConf(
  name: string | undefined,
  { directory, complain }: { directory: string; complain(path: string, problem: string, fix: string): void },
): OwnNginxConf | undefined {
  if (name === undefined) return undefined
  const path = resolve(directory, name)
  try {
    const text = readRegularFile(path).toString()
    const missing = required.filter(
      file => !new RegExp(`^[^#\\n]*\\binclude\\s+["']?${file}["']?\\s*;`, 'm').test(text),
    )
    if (missing.length === 0) return { path, text }
    const fix = `add ${missing.map(file => `"include ${file};"`).join(' and ')}; docs/guide/routing.md shows a complete file`
    complain(path, `does not include ${missing.join(' and ')}`, fix)
  } catch (error) {
    complain(path, describeUnread(error), 'name a readable file')
  }
  return undefined
}
