import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'

/** Limit, because each generation of nginx's configuration contains a copy. */
const maxBytes = 1 << 20

/** Text of a page, if one is configured, or the problem with it. */
export type PageResult = { ok: true; text: string | undefined } | { ok: false; problem: string; fix: string }

/** Reads a custom HTML page, if one is configured. `path` is relative to `directory`. */
export function readHtmlPage(path: string | undefined, directory: string): PageResult {
  if (path === undefined) return { ok: true, text: undefined }
  try {
    const file = resolve(directory, path)
    const stat = statSync(file)
    if (!stat.isFile()) return { ok: false, problem: 'is not a file', fix: 'name an HTML file' }
    if (stat.size > maxBytes)
      return { ok: false, problem: 'is larger than 1 MB', fix: 'keep images out of the page, or make them smaller' }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)) }
  } catch (error) {
    if (errnoOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return { ok: false, problem: 'is not UTF-8', fix: 'save it as UTF-8' }
    return { ok: false, problem: `cannot be read: ${errnoOf(error)}`, fix: 'name a readable file' }
  }
}
