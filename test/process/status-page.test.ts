// needs: chromium
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { requestSocket } from '../../supervisor/base/adapters/unix-http.ts'
import { launcher } from './built.ts'
import { freePorts } from './free-ports.ts'
import { fixture, isolatedEnv, type Monohull, startMonohull, until } from './monohull.ts'
import { openPage } from './visitor.ts'

const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const skip = isMissing && !process.env.CI && 'chromium is not installed'
const timeout = 100_000
const token = 'a-token-for-the-status-page'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const config = (port: number, actions: boolean) => `
https: on
admin: { port: ${port}, token: ${token}, actions: ${actions} }
app: { command: [node, ${fixture('hello.cjs')}], workers: 2, min_uptime: 0s }
processes:
  queue: { command: [node, -e, "console.log('warn: queue is long'); setInterval(() => {}, 1e6)"] }
  slow: { command: [sleep, "600"], ready: { unix: nowhere, timeout: 10m } }
  late: { command: [sleep, "600"], after: [slow] }
jobs: { tidy: { command: [node, -e, ""], schedule: 0 4 * * * } }
upstreams: { legacy: { servers: ["127.0.0.1:1"], health: { path: /, interval: 1s } } }
routes:
  - { path: /, app: app }
  - { host: old.example.com, path: /, upstream: legacy, rate_limit: 10/s }
`

const rowOf = (name: string) =>
  `([...document.querySelectorAll('tbody')].find(body => body.querySelector('th')?.innerText === '${name}')?.innerText ?? '')`

/** Part of the test, which names it if it fails; the next one goes on from where it ends. */
async function step(name: string, act: () => Promise<void>): Promise<void> {
  await act().catch((error: Error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error })
  })
}

it('the status page in Chromium', { timeout, skip }, async t => {
  const [port = 0] = await freePorts(1)
  let monohull: Monohull = startMonohull(t, { files: { 'monohull.yaml': config(port, true) } })
  await monohull.serving()
  const { page, visitor } = await openPage(t, port)
  const { evaluate, click, shows } = visitor

  await step('asks for the token, and says that one is wrong', async () => {
    await shows(/Token/)
    await visitor.fill('input[type=password]', 'not-the-token')
    await click('Open')
    await shows(/This token is wrong/)
    await visitor.fill('input[type=password]', token)
    await click('Open')
    await shows(/Traffic/)
  })

  await step('shows every part', async () => {
    await shows(/Monohull\s+ready/)
    // a part comes with its first figures
    for (const heading of [
      'Traffic',
      'App app',
      'Processes',
      'Jobs',
      'Routes',
      'Certificates',
      'Events',
      'Log',
      'Container',
    ])
      await until(heading, () =>
        evaluate<boolean>(`[...document.querySelectorAll('h2')].some(one => one.innerText === '${heading}')`),
      )
    await shows(/2 of 2 workers serve/)
    await shows(/queue\.1\s+running/)
    await shows(/slow\.1\s+booting/)
    await shows(/late\.1\s+pending\s+waits for slow/)
    await shows(/old\.example\.com[\s\S]*rate_limit[\s\S]*→ upstream legacy/)
    await shows(/legacy\s+127\.0\.0\.1:1\s+down/)
    await shows(/tidy\s+waiting\s+0 4 \* \* \*/)
    await shows(/\d+ days left/)
    await until('memory of a worker', async () => /\d+ MB/.test(await evaluate(rowOf('app.1'))))
    await shows(/warn: queue is long/)
    await shows(/worker ready/)
    assert.match(await evaluate('document.title'), /^ready/)
    assert.ok(await evaluate(`document.querySelector('.chart canvas') !== null`))
  })

  await step('has no serious problem for axe, in both themes and at the width of a phone', async () => {
    await evaluate(axe)
    for (const [theme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['light', 390],
    ] as const) {
      await page.call('Emulation.setEmulatedMedia', {
        features: [
          { name: 'prefers-color-scheme', value: theme },
          { name: 'prefers-reduced-motion', value: 'reduce' },
        ],
      })
      const size = { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 }
      await page.call('Emulation.setDeviceMetricsOverride', size)
      const found = await evaluate<string[]>(`axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.map(node => node.html).join(' ')))`)
      assert.deepEqual(found, [], `${theme}, ${width} px`)
      assert.ok((await evaluate<number>('document.documentElement.scrollWidth')) <= width, `wider than ${width} px`)
    }
    await page.call('Emulation.clearDeviceMetricsOverride')
  })

  await step('restarts, scales and reloads after a question, which Escape answers with no', async () => {
    const before = monohull.worker(1)
    await visitor.focus('Restart app.1')
    await visitor.press('Enter', 13)
    await until('the question', () => evaluate<boolean>(`document.querySelector('dialog')?.open === true`))
    await visitor.press('Escape', 27)
    await until('its end', () => evaluate<boolean>(`document.querySelector('dialog') === null`))
    assert.equal(await evaluate('document.activeElement.ariaLabel'), 'Restart app.1')
    await click('Restart app.1')
    await click('Cancel')
    assert.equal(monohull.worker(1), before)
    await click('Restart app.1')
    await shows(/Restart app\.1\?/)
    await evaluate(`document.querySelector('dialog button.primary').click()`)
    await shows(/app\.1 replaced/)
    await monohull.workerAfter(1, before)
    const answerYes = () => evaluate(`document.querySelector('dialog button.primary').click()`)
    await click('One worker more for app')
    await answerYes()
    await shows(/scaled to 3 workers/)
    await shows(/3 of 3 workers serve/)
    await click('One worker less for app')
    await answerYes()
    await shows(/2 of 2 workers serve/)
    await click('Restart all')
    await answerYes()
    await shows(/app replaced/)
    await click('Restart queue.1')
    await answerYes()
    await shows(/queue\.1 replaced/)
    await click('Run tidy')
    await answerYes()
    await shows(/tidy\s+waiting[\s\S]*success/)
    await click('Reload')
    await answerYes()
    await shows(/Last reload\s+succeeded/)
  })

  await step('shows figures over two periods, and filters events and the log', async () => {
    await monohull.request({ scheme: 'http', headers: { host: 'localhost' } })
    await click('24 h')
    assert.match(await evaluate(`document.querySelector('.chart [role=img]').ariaLabel`), /last 24 hours/)
    await click('10 min')
    const tiles = await evaluate<number>(`document.querySelectorAll('.tile').length`)
    for (let index = 0; index < tiles; index++) {
      await evaluate(`document.querySelectorAll('.tile')[${index}].click()`)
      const name = await evaluate<string>(
        `document.querySelectorAll('.tile')[${index}].querySelector('.name').innerText`,
      )
      await until(name, () =>
        evaluate<boolean>(`document.querySelector('.chart [role=img]').ariaLabel.startsWith(${JSON.stringify(name)})`),
      )
    }
    await visitor.fill('#events ~ label select', 'reload')
    await until('one kind', () =>
      evaluate<boolean>(
        `[...document.querySelectorAll('.list:not(.log) .chip')].every(one => one.innerText === 'reload')`,
      ),
    )
    await visitor.fill('#events ~ label select', '')
    await visitor.fill('#log ~ label input', 'queue is')
    await until('lines with the text', async () =>
      /^\S+\s*queue\.1\s*warn: queue is long/.test(await visitor.textOf('.log')),
    )
    await visitor.fill('#log ~ label:nth-of-type(2) select', 'error')
    await until('no lines', async () => /No lines/.test(await visitor.textOf('.log')))
    await visitor.fill('#log ~ label:nth-of-type(2) select', 'debug')
    await visitor.fill('#log ~ label input', '')
    await click('Follow')
    assert.equal(await evaluate(`document.querySelector('#log ~ button').ariaPressed`), 'false')
    await click('Follow')
  })

  await step('goes on while workers crash, and shows their last lines', async () => {
    for (let turn = 0; turn < 4; turn++) {
      await monohull.request({ path: '/crash', method: 'POST' }).catch(() => {})
      await until('a worker', async () => (await monohull.request().catch(() => undefined))?.status === 200)
    }
    await until('the death', async () =>
      /Died[\s\S]*exit code 5/.test(await evaluate(`${rowOf('app.1')} + ${rowOf('app.2')}`)),
    )
    await visitor.fill('#events ~ label select', 'death')
    await click('last lines')
    await until('the record', async () => /exit code 5[\s\S]*listening on/.test(await visitor.textOf('.list pre')))
    await visitor.fill('#events ~ label select', '')
    assert.match(await evaluate('document.title'), /ready/)
  })

  await step('ends its connection while it is hidden, and goes on where it was', async () => {
    await evaluate(`window.asked = []
      const plain = window.fetch
      window.fetch = (url, options) => { asked.push(options); return plain(url, options) }`)
    const setHidden = (isHidden: boolean) =>
      evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} })
        document.dispatchEvent(new Event('visibilitychange'))`)
    await setHidden(true)
    assert.equal(await evaluate('asked.length'), 0)
    await setHidden(false)
    assert.match(await evaluate(`asked[0].headers['last-event-id']`), /^[\w-]+\.\d+\.\d+\.\d+$/)
    await setHidden(true)
    assert.equal(await evaluate('asked[0].signal.aborted'), true)
    await setHidden(false)
    await until('a connection', () => evaluate<boolean>(`document.querySelector('.notice.bad') === null`))
  })

  await step('shows maintenance and a pause, and ends them', async () => {
    const tell = (path: string) => requestSocket(join(monohull.folder, 'run/admin.sock'), { method: 'POST', path })
    await tell('/maintenance/on?allow=10.0.0.0/8')
    await shows(/Maintenance since .*clients get 503, except 10\.0\.0\.0\/8/)
    await click('End')
    await shows(/End maintenance\?/)
    await evaluate(`document.querySelector('dialog button.primary').click()`)
    await until('the end of it', async () => !/Maintenance since/.test(await visitor.textOf('header')))
    await tell('/pause?for=60s')
    await shows(/Paused: requests wait until/)
    await click('Resume')
    await shows(/End the pause\?/)
    await evaluate(`document.querySelector('dialog button.primary').click()`)
    await until('the end of it', async () => !/Paused/.test(await visitor.textOf('header')))
  })

  await step('has no buttons once admin.actions is off', async () => {
    writeFileSync(join(monohull.folder, 'monohull.yaml'), config(port, false))
    monohull.signal('SIGHUP')
    await until('their end', async () => !(await visitor.has('Reload')) && !(await visitor.has('Restart app.1')))
    await shows(/Read-only/)
  })

  await step('says that the instance is gone, and finds its successor', async () => {
    const icon = () => evaluate<string>(`document.querySelector('link[rel=icon]').href`)
    const ready = await icon()
    const { folder } = monohull
    monohull.signal('SIGINT')
    await monohull.exited
    await shows(/No connection/)
    assert.notEqual(await icon(), ready)
    monohull = startMonohull(t, { folder })
    await monohull.serving()
    await until('the successor', async () => /^ready/.test(await evaluate('document.title')))
    await until('its workers', async () =>
      (await evaluate<string>(rowOf('app.1'))).includes(String(monohull.worker(1))),
    )
    await until('no crashes', async () => !/Died/.test(await evaluate(rowOf('app.1'))))
  })

  const unexpected = page.errors.filter(error => !/Failed to load resource|net::ERR/.test(error))
  assert.deepEqual(unexpected, [])
})

it('a route to the status page, with a password of nginx and the token for changes', async t => {
  const files = {
    users: `ops:${execFileSync('openssl', ['passwd', '-6', 'secret'])}`,
    'monohull.yaml': `
https: off
admin: { token: ${token}, actions: true }
app: { command: [node, ${fixture('hello.cjs')}], workers: 1, min_uptime: 0s }
routes:
  - { path: /, app: app }
  - { path: /ops/status, internal: status, basic_auth: { file: users } }
`,
  }
  const monohull = startMonohull(t, { files })
  await monohull.serving()
  const headers = { authorization: `Basic ${Buffer.from('ops:secret').toString('base64')}` }
  const asked = (path: string, more = {}, method = 'GET') =>
    monohull.request({ path, method, headers: { ...headers, ...more } })
  assert.equal((await monohull.request({ path: '/ops/status/' })).status, 401)
  assert.equal((await asked('/ops/status')).headers.location, '/ops/status/')
  const page = await asked('/ops/status/')
  assert.deepEqual([page.status, /<div id="page">/.test(page.body)], [200, true])
  assert.match(String(page.headers['content-security-policy']), /script-src 'sha256-/)
  const missing = await asked('/ops/status/status')
  assert.deepEqual([missing.status, JSON.parse(missing.body).reason], [401, 'the token is missing'])
  const withToken = { 'monohull-token': token }
  const status = await asked('/ops/status/status', withToken)
  assert.equal(JSON.parse(status.body).state, 'ready')
  const first = await readFirstEvent(monohull, { ...headers, ...withToken })
  assert.match(first, /^id: \S+\ndata: \{"at":\d+,"isFresh":true/)
  const before = monohull.worker(1)
  const foreign = await asked('/ops/status/restart/app.1', { ...withToken, 'sec-fetch-site': 'cross-site' }, 'POST')
  assert.equal(foreign.status, 403)
  const unknown = await asked('/ops/status/restart/app.9', withToken, 'POST')
  assert.deepEqual([unknown.status, /app\.1/.test(unknown.body)], [404, true])
  assert.equal((await asked('/ops/status/restart/app.1', withToken, 'POST')).status, 200)
  await monohull.workerAfter(1, before)
  const socket = join(monohull.folder, 'run/admin.sock')
  const bySocket = await requestSocket(socket, { method: 'GET', path: '/' })
  assert.deepEqual([bySocket.status, /<div id="page">/.test(bySocket.body)], [200, true])
  const fromElsewhere = { method: 'POST', path: '/stop', headers: { origin: 'https://evil.test' } } as const
  assert.equal((await requestSocket(socket, fromElsewhere)).status, 403)
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'dashboard'], {
    env: isolatedEnv(monohull.folder),
  })
  assert.match(stdout, /^status page: .*\n[\s\S]*^over SSH: +ssh -L 9114:\/\S+\/run\/admin\.sock /m)
  // the app has the rest
  assert.equal((await monohull.request({ path: '/ops/other' })).status, 200)
})

/** The first event of the feed behind nginx. */
function readFirstEvent(monohull: Monohull, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port: monohull.instance().httpPort, path: '/ops/status/feed', headers, timeout: 20_000 },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (!text.includes('\n\n')) return
          request.destroy()
          resolve(text)
        })
      },
    )
    request.once('timeout', () => request.destroy(new Error('no event in time')))
    request.once('error', reject)
  })
}
