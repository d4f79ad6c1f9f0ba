// needs: chromium redis-server
// before a release: half a minute of a core
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { it } from 'node:test'
import { freePorts } from './free-ports.ts'
import { fixture, startMonohull, until } from './monohull.ts'
import { startRedis } from './redis-server.ts'
import { openPage } from './visitor.ts'

const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const skip = isMissing && !process.env.CI && 'chromium is not installed'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

it('the status page lists the replicas with one shared_state, and has no such section without', {
  timeout: 100_000,
  skip,
}, async t => {
  const redis = await startRedis(t)
  const [port = 0, otherPort = 0] = await freePorts(2)
  const app = `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }\n`
  const start = (config: string) =>
    startMonohull(t, { files: { 'monohull.yaml': app + config }, env: { MONOHULL_WORKERS: undefined } })
  const shared = `shared_state: { url: "${redis.store}" }\n`
  const one = start(`${shared}admin: { port: ${port} }\n`)
  const two = start(shared)
  await Promise.all([one.serving(), two.serving()])
  const { page, visitor } = await openPage(t, port)
  const { evaluate, shows } = visitor
  const rows = () =>
    evaluate<string[]>(`[...document.querySelectorAll('[aria-label=Replicas] tbody')].map(row => row.innerText)`)

  await shows(/Replicas[\s\S]*2 of 2 are ready/)
  const [own = '', other = ''] = await rows()
  for (const row of [own, other]) {
    assert.ok(row.includes(hostname()), row)
    assert.match(row, /[0-9a-f]{8}[\s\S]*ready[\s\S]*1 of 1 ready[\s\S]*\d+\.\d+\.\d+[\s\S]*\d\d:\d\d:\d\d/)
    assert.match(row, /worker ready|serving/)
  }
  assert.match(own, /this one/)
  assert.doesNotMatch(other, /this one/)

  await evaluate(axe)
  for (const width of [1280, 390]) {
    await page.call('Emulation.setDeviceMetricsOverride', {
      ...{ width, height: 800, deviceScaleFactor: 1, mobile: width < 500 },
    })
    const found = await evaluate<string[]>(`axe.run().then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(node => node.html).join(' ')))`)
    assert.deepEqual(found, [], `${width} px`)
    assert.ok((await evaluate<number>('document.documentElement.scrollWidth')) <= width, `wider than ${width} px`)
  }

  two.signal('SIGTERM')
  await two.exited
  await until('one replica', async () => (await rows()).length === 1)
  await redis.kill()
  await shows(/1 of 1 are ready, the shared state is unavailable/)
  assert.deepEqual(page.errors, [])

  const alone = start(`admin: { port: ${otherPort} }\n`)
  await alone.serving()
  const { visitor: second } = await openPage(t, otherPort)
  await second.shows(/Traffic[\s\S]*Container/)
  assert.doesNotMatch(await second.evaluate('document.body.innerText'), /Replicas/)
})
