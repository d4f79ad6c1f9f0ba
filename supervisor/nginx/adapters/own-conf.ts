import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { OwnNginxConf } from '../own-conf.ts'

/** Without them nginx would run in the background, or serve nothing, and its own test would not tell. */
const needed = ['rendered/main.conf', 'rendered/http.conf']

/** Reads the user's own nginx.conf, when there is one; what is wrong with it is complained about. */
export function readOwnNginxConf(
  name: string | undefined,
  { directory, complain }: { directory: string; complain(path: string, problem: string, fix: string): void },
): OwnNginxConf | undefined {
  if (name === undefined) return undefined
  const path = resolve(directory, name)
  try {
    const text = readFileSync(path, 'utf8')
    const missing = needed.filter(file => !new RegExp(`^[^#\\n]*\\binclude\\s+["']?${file}["']?\\s*;`, 'm').test(text))
    if (missing.length === 0) return { path, text }
    const fix = `add ${missing.map(file => `"include ${file};"`).join(' and ')}; docs/guide/routing.md has the whole`
    complain(path, `does not include ${missing.join(' and ')}`, fix)
  } catch (error) {
    complain(path, `cannot be read: ${errnoOf(error)}`, 'name a readable file')
  }
  return undefined
}
