// needs: chromium docker-compose openssl
// before a release: a minute and a half of a core
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { ask } from './ask.ts'
import { type Browser, browserAt, startChromium } from './chromium.ts'
import { startProject } from './compose.ts'
import { buildExample, startContainer, until } from './docker.ts'

const timeout = 400_000

describe('Chromium opens examples/', () => {
  it('spa-websocket at a deep link: its script, its API, its WebSocket', { timeout }, async t => {
    const container = await startContainer(t, { image: await buildExample(t, 'spa-websocket') })
    const page = await (await browserAt(t, container)).open('https://127.0.0.1/deep/link?x=1')
    await page.shows(/^\/deep\/link\n+\{"url":"\/who".*\}\ncaptured hello$/m)
    assert.deepEqual([page.status, page.protocol, page.handshakes, page.errors], [200, 'h2', [101], []])
  })

  it('node-ssr with its stylesheet', { timeout }, async t => {
    const container = await startContainer(t, { image: await buildExample(t, 'node-ssr') })
    await showsServerRendered(await browserAt(t, container), 'h2')
  })

  it('node-ssr over HTTP/3, which the nginx of the image has', { timeout }, async t => {
    const args = ['--env', 'MONOHULL_HTTP3=true']
    const container = await startContainer(t, { image: await buildExample(t, 'node-ssr'), args })
    await showsServerRendered(await browserAt(t, container, true), 'h3')
  })

  it('https-gunicorn with its mounted certificate', { timeout }, async t => {
    const image = await buildExample(t, 'https-gunicorn')
    const certs = mkdtempSync(join(tmpdir(), 'monohull-certs-'))
    t.after(() => rmSync(certs, { recursive: true, force: true }))
    makeCertificate(certs, 'shop.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    const container = await startContainer(t, { image, args: ['--volume', `${certs}:/certs:ro`] })
    const page = await (await browserAt(t, container)).open('https://127.0.0.1/')
    await page.shows(/"url": ?"https:\/\/127\.0\.0\.1\/"/)
    assert.deepEqual([page.status, page.protocol, page.errors], [200, 'h2', []])
  })

  for (const example of ['asgi', 'express'])
    it(example, { timeout }, async t => {
      const container = await startContainer(t, { image: await buildExample(t, example) })
      const page = await (await browserAt(t, container)).open('https://127.0.0.1/')
      await page.shows(new RegExp(`"app": ?"${example}"`))
      assert.deepEqual([page.status, page.protocol, page.errors], [200, 'h2', []])
    })

  for (const [example, port, text] of [
    ['flask-load-balanced', 8080, /"forwarded"/],
    ['flask-reverse-proxy', 80, /"host": ?"app.internal"/],
  ] as const)
    it(`${example}, which speaks plain HTTP`, { timeout }, async t => {
      const { compose, origin } = await startProject(t, example)
      const front = await origin(port)
      await until('the app', async () => (await ask(front).catch(() => undefined))?.status === 200)
      const browser = await startChromium(t, { container: await compose('ps', '--quiet', 'front') })
      const page = await browser.open(`http://127.0.0.1:${port}/`)
      await page.shows(text)
      assert.deepEqual([page.status, page.protocol, page.errors], [200, 'http/1.1', []])
    })
})

async function showsServerRendered(browser: Browser, protocol: string): Promise<void> {
  const page = await browser.open('https://127.0.0.1/any/page')
  await page.shows(/\/any\/page/)
  assert.deepEqual([page.status, page.protocol, page.errors], [200, protocol, []])
  const style = `performance.getEntriesByName('https://127.0.0.1/assets/style.css')[0].nextHopProtocol`
  assert.equal(await page.evaluate(style), protocol)
  assert.equal(await page.evaluate(`getComputedStyle(document.querySelector('h1')).color`), 'rgb(0, 128, 128)')
}
