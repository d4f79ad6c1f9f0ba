import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The status page as it is sent, with its policy. */
export interface PageFile {
  compressed: Buffer
  text: Buffer
  /** Value of Content-Security-Policy: the inlined script and style by their hashes, and nothing of other origins. */
  policy: string
}

/** Page that the build has put into `dist/`. Throws if there is no build. */
export function readPage(home: string): PageFile {
  const compressed = readFileSync(join(home, 'dist/status-page.html.gz'))
  const text = gunzipSync(compressed)
  return { compressed, text, policy: policyFor(text.toString()) }
}

/** Policy for a page with inlined scripts and styles. */
function policyFor(html: string): string {
  const hashes = (tag: string) =>
    [...html.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'))]
      .map(([, content = '']) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`)
      .join(' ')
  return [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
