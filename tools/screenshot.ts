import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { launchChromium } from '../test/chromium.ts'
import { home } from './bundling.ts'

// Takes docs/status-page.png, the picture of the README, from an instance under load: node --import tsx tools/screenshot.ts. It needs a
// build (npm run build), nginx and Chromium, and takes two minutes.
const [port, adminPort] = [18_980, 18_981]
const loadMs = 100_000
const clients = 24
const size = { width: 1280, height: 880 }

const app = `
const { createServer } = require('node:http')
createServer((request, response) => {
  if (request.url === '/crash') process.exit(1)
  const isSlow = request.url === '/report'
  response.statusCode = request.url === '/missing' ? 404 : 200
  setTimeout(() => response.end('ok'), isSlow ? 60_000 : 4 + Math.random() ** 6 * 250)
}).listen(3000)
`
const config = `
http_port: ${port}
https: off
admin: { port: ${adminPort} }
apps:
  web: { command: [node, app.cjs], workers: 3, max_memory: 256MB, min_uptime: 1s }
  api: { command: [node, app.cjs], workers: 2, min_uptime: 1s }
routes: [{ path: /, app: web }, { path: /api, app: api }]
`
const paths = ['/', '/', '/products', '/api/cart', '/', '/api/items', '/basket', '/', '/products', '/missing']

const folder = mkdtempSync(join(tmpdir(), 'monohull-screenshot-'))
// the app's user reads it
chmodSync(folder, 0o755)
writeFileSync(join(folder, 'app.cjs'), app)
writeFileSync(join(folder, 'monohull.yaml'), config)
const monohull = spawn(process.execPath, [join(home, 'dist/launcher.cjs'), 'run'], {
  cwd: folder,
  env: { PATH: process.env.PATH, MONOHULL_RUN_DIR: join(folder, 'run'), MONOHULL_STATE_DIR: join(folder, 'state') },
  stdio: 'ignore',
})
const ended = new Promise(resolve => monohull.once('exit', resolve))
const cleanups: (() => Promise<void>)[] = []
try {
  await answers()
  const browser = launchChromium({ after: end => void cleanups.push(end) }, {})
  const page = await browser.open(`http://127.0.0.1:${adminPort}/`)
  await page.call('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 2, mobile: false })
  await page.call('Emulation.setScrollbarsHidden', { hidden: true })
  const load = Promise.all(Array.from({ length: clients }, (_, index) => sendRequests(index)))
  void request('/report')
  await pause(loadMs / 2)
  void request('/crash')
  await pause(loadMs / 2 - 5000)
  const { data } = (await page.call('Page.captureScreenshot', { format: 'png' })) as { data: string }
  writeFileSync(join(home, 'docs/status-page.png'), Buffer.from(data, 'base64'))
  await load
} finally {
  for (const end of cleanups) await end()
  monohull.kill('SIGINT')
  await ended
  rmSync(folder, { recursive: true })
}

async function answers(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if ((await request('/')) === 200) return
    await pause(100)
  }
  throw new Error(`the instance in ${folder} does not respond`)
}

/** Requests of one client, more of them in the middle of the time. */
async function sendRequests(client: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const begin = Date.now()
  while (Date.now() - begin < loadMs) {
    await request(paths[Math.floor(Math.random() * paths.length)] ?? '/', agent)
    const share = (Date.now() - begin) / loadMs
    await pause((60 + client * 4) * (1.6 - Math.sin(share * Math.PI * 2.2)) * Math.random())
  }
  agent.destroy()
}

/** Status; 0 without a response. */
function request(path: string, agent?: Agent): Promise<number> {
  return new Promise(resolve => {
    const sent = get({ host: '127.0.0.1', port, path, ...(agent ? { agent } : {}) }, response => {
      response.resume().once('close', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', () => resolve(0))
  })
}
