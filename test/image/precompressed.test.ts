import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ask } from './ask.ts'
import { startContainer } from './docker.ts'

describe('files that are compressed already, in the image', () => {
  it('are sent as they are to clients that take them: .br before .gz', async t => {
    const app = mkdtempSync(join(tmpdir(), 'monohull-files-'))
    chmodSync(app, 0o755)
    t.after(() => rmSync(app, { recursive: true, force: true }))
    mkdirSync(join(app, 'public'))
    writeFileSync(join(app, 'monohull.yaml'), 'compression: off\nroutes: [{ files: { root: public } }]\n')
    const script = 'console.log("as it was written")\n'
    writeFileSync(join(app, 'public/app.js'), script)
    writeFileSync(join(app, 'public/app.js.br'), brotliCompressSync(script))
    writeFileSync(join(app, 'public/app.js.gz'), gzipSync(script))
    const container = await startContainer(t, { args: ['--volume', `${app}:/app:ro`] })
    const https = await container.https()
    for (const [accepted, encoding, length] of [
      ['br, gzip', 'br', brotliCompressSync(script).length],
      ['gzip', 'gzip', gzipSync(script).length],
      ['identity', undefined, script.length],
    ] as const) {
      const { headers } = await ask(`${https}/app.js`, { headers: { 'accept-encoding': accepted } })
      assert.deepEqual([headers['content-encoding'], headers['content-length']], [encoding, String(length)], accepted)
    }
  })
})
