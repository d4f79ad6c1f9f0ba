// needs: chromium
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from './free-ports.ts'
import { ask, defer, home, startMonohull, until } from './monohull.ts'
import { openPage } from './visitor.ts'

// UPDATE_SCREENSHOT=1 writes docs/status-page.png, the picture of the README, after two minutes of load.
const isUpdate = process.env.UPDATE_SCREENSHOT === '1'
const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const skip = isMissing && !process.env.CI && 'chromium is not installed'
const loadMs = isUpdate ? 100_000 : 0
const clients = isUpdate ? 24 : 4
const size = { width: 1280, height: 880 }
const scale = 2
const paths = ['/', '/', '/products', '/api/cart', '/', '/api/items', '/basket', '/', '/products', '/missing']

const app = `
const { createServer } = require('node:http')
createServer((request, response) => {
  if (request.url === '/crash') process.exit(1)
  const isSlow = request.url === '/report'
  response.statusCode = request.url === '/missing' ? 404 : 200
  setTimeout(() => response.end('ok'), isSlow ? 60_000 : 4 + Math.random() ** 6 * 250)
}).listen(3000)
`
const config = (port: number) => `
https: off
admin: { port: ${port} }
apps:
  web: { command: [node, app.cjs], workers: 3, max_memory: 256MB, min_uptime: 1s }
  api: { command: [node, app.cjs], workers: 2, min_uptime: 1s }
routes: [{ path: /, app: web }, { path: /api, app: api }]
`

it('the picture of the status page of an instance under load is as large as in the README, and not blank', {
  timeout: loadMs + 60_000,
  skip,
}, async t => {
  const [port = 0] = await freePorts(1)
  const monohull = startMonohull(t, {
    files: { 'app.cjs': app, 'monohull.yaml': config(port) },
    env: { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined },
  })
  const { httpPort } = await monohull.serving()
  const { page, visitor } = await openPage(t, port)
  await page.call('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: scale, mobile: false })
  await page.call('Emulation.setScrollbarsHidden', { hidden: true })
  const begin = Date.now()
  let isOver = false
  const load = Promise.all(Array.from({ length: clients }, (_, client) => sendRequests(client)))
  defer(t, async () => {
    isOver = true
    await load
  })
  const slow = ask(httpPort, { path: '/report' }).catch(() => {})
  await until('half of the load', () => Date.now() - begin >= loadMs / 2, { deadlineMs: loadMs })
  await ask(httpPort, { path: '/crash' }).catch(() => {})
  await visitor.shows(/Died[\s\S]*exit code 1/)
  await until('the load', () => Date.now() - begin >= loadMs - 5000, { deadlineMs: loadMs })
  await until('requests a second', async () =>
    /Requests\s+[1-9]/.test(await visitor.evaluate(`document.querySelector('.tile').innerText`)),
  )
  const { data } = (await page.call('Page.captureScreenshot', { format: 'png' })) as { data: string }
  // a picture of one colour, such as of a page that has failed, has one; the colours of the text and charts are hundreds
  const seen = await visitor.evaluate<{ width: number; height: number; colours: number }>(`(async () => {
    const bytes = Uint8Array.from(atob('${data}'), one => one.charCodeAt(0))
    const { width, height } = await createImageBitmap(new Blob([bytes]))
    const context = new OffscreenCanvas(width, height).getContext('2d')
    context.drawImage(await createImageBitmap(new Blob([bytes])), 0, 0)
    const colours = new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size
    return { width, height, colours }
  })()`)
  assert.deepEqual([seen.width, seen.height], [size.width * scale, size.height * scale])
  assert.ok(seen.colours > 100, `${seen.colours} colours`)
  assert.deepEqual(page.errors, [])
  if (isUpdate) writeFileSync(join(home, 'docs/status-page.png'), Buffer.from(data, 'base64'))
  monohull.signal('SIGINT')
  await slow

  /** Requests of one client, more of them in the middle of the time. */
  async function sendRequests(client: number): Promise<void> {
    const agent = new Agent({ keepAlive: true })
    while (!isOver) {
      const path = paths[Math.floor(Math.random() * paths.length)] ?? '/'
      await ask(httpPort, { path, agent }).catch(() => {})
      const share = loadMs === 0 ? 0.5 : (Date.now() - begin) / loadMs
      await pause((60 + client * 4) * (1.6 - Math.sin(share * Math.PI * 2.2)) * Math.random())
    }
    agent.destroy()
  }
})
