// needs: chromium
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { browserAt, startChromium } from './chromium.ts'
import { repository, startContainer, until } from './docker.ts'

const timeout = 400_000

describe('Chromium opens', () => {
  it('the image as it is, once its certificate is trusted', { timeout }, async t => {
    const container = await startContainer(t)
    const page = await (await browserAt(t, container)).open('https://127.0.0.1/')
    await page.shows(/monohull/)
    assert.deepEqual([page.status, page.protocol, page.errors], [200, 'h2', []])
    const stranger = await startChromium(t, { container: container.id })
    await assert.rejects(stranger.open('https://127.0.0.1/'), /ERR_CERT_AUTHORITY_INVALID/)
  })

  it('responses in pieces over HTTP/3, each piece as it is written', { timeout }, async t => {
    const directory = mkdtempSync(join(tmpdir(), 'monohull-pieces-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    chmodSync(directory, 0o755)
    copyFileSync(`${repository}test/fixtures/apps/pieces.cjs`, join(directory, 'pieces.cjs'))
    writeFileSync(
      join(directory, 'monohull.yaml'),
      `http3: true
app: { command: [node, pieces.cjs], workers: 1 }
routes:
  - { path: /, app: app }
  - { path: /identity, app: app, compression: off }
  - { path: /gzip, app: app, compression: { brotli: off } }
`,
    )
    const container = await startContainer(t, { args: ['--volume', `${directory}:/app:ro`] })
    const page = await (await browserAt(t, container, true)).open('https://127.0.0.1/release')
    const types = ['text/event-stream', 'text/html', 'text/plain', 'application/json', 'application/x-ndjson']
    const cases = ['identity', 'gzip', 'br'].flatMap(encoding =>
      types.map(type => {
        // events are not compressed
        const isCompressed = encoding !== 'identity' && type !== 'text/event-stream'
        return [`/${encoding}?type=${type}&id=${encoding}-${type}`, [isCompressed ? encoding : null, 'first']] as const
      }),
    )
    const paths = cases.map(([path]) => path)
    await page.evaluate(`window.seen = {}; void ${JSON.stringify(paths)}.map(async path => {
      const response = await fetch(path)
      const { value } = await response.body.getReader().read()
      window.seen[path] = [response.headers.get('content-encoding'), new TextDecoder().decode(value)]
    })`)
    await until(
      'the first pieces',
      async () => (await page.evaluate<number>('Object.keys(window.seen).length')) === paths.length,
    )
    assert.deepEqual(await page.evaluate('window.seen'), Object.fromEntries(cases))
    const protocols = `[...new Set(performance.getEntriesByType('resource').map(entry => entry.nextHopProtocol))]`
    assert.equal(page.protocol, 'h3')
    await page.evaluate(`void ${JSON.stringify(paths)}.map(path => fetch(path.replace(/[^?]*/, '/release')))`)
    await until('the ends', async () => (await page.evaluate<string[]>(protocols)).includes('h3'))
    assert.deepEqual(await page.evaluate(protocols), ['h3'])
  })
})
