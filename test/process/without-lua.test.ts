import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { get } from 'node:http'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { modulesDirectory } from '../../supervisor/nginx/features.ts'
import { launcher } from './built.ts'
import { freePorts } from './free-ports.ts'
import { allReady, ask, fixture, isolatedEnv, needsRoot, startMonohull } from './monohull.ts'

const config = (metrics: number, admin: number) => `https: off
app: { command: [node, ${fixture('hello.cjs')}], workers: 2 }
metrics: { port: ${metrics} }
admin: { port: ${admin} }
`
const reason = 'nginx has no Lua module (apt-get install libnginx-mod-http-lua, then restart monohull)'

/** Words before a command that sees an nginx without modules. */
function withoutModules(): string[] {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' })
  const directory = modulesDirectory(stderr) ?? assert.fail(`no modules path in ${stderr}`)
  return ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs "$0" && exec "$@"', directory]
}

it('without its Lua module, nginx serves, reports its connections, and the status says what is missing', {
  skip: needsRoot,
}, async t => {
  const [metricsPort = 0, adminPort = 0] = await freePorts(2)
  const files = { 'monohull.yaml': config(metricsPort, adminPort) }
  const monohull = startMonohull(t, { through: withoutModules(), files })
  await allReady(monohull, 2)
  for (const path of ['/', '/a', '/b']) assert.equal((await monohull.request({ path })).status, 200)
  const status = async (...words: string[]) => {
    const env = isolatedEnv(monohull.folder)
    return (await promisify(execFile)(process.execPath, [launcher, 'status', ...words], { env })).stdout
  }

  await t.test('as a table', async () => {
    const text = await status()
    assert.match(text, /^monohull ready, /)
    assert.match(text, /^connections \d+ open, limit \d+$/m)
    assert.match(text, /^app\.2 +serving /m)
    assert.ok(text.includes(`\nrequests are not counted: ${reason}\n`), text)
  })

  await t.test('as JSON', async () => {
    const { uncounted, connections, workers } = JSON.parse(await status('--json'))
    assert.equal(uncounted, reason)
    assert.ok(connections.open >= 0 && connections.limit > 0)
    assert.deepEqual(
      workers.map((worker: { usage?: { rss: number }; requests?: object }) => [
        (worker.usage?.rss ?? 0) > 1e6,
        worker.requests,
      ]),
      [
        [true, undefined],
        [true, undefined],
      ],
    )
  })

  await t.test('as metrics, on its port too', async () => {
    for (const text of [await status('--metrics'), (await ask(metricsPort, { path: '/metrics' })).body]) {
      assert.match(text, /^nginx_up 1$/m)
      const [, requests] = /^nginx_http_requests_total (\d+)$/m.exec(text) ?? []
      assert.ok(Number(requests) >= 3, text)
      assert.match(text, /^nginx_connections_accepted \d+$/m)
      assert.match(text, /^monohull_worker_resident_memory_bytes\{.*worker="app\.1"\} \d+$/m)
      assert.doesNotMatch(text, /^(http_server_|monohull_worker_requests_)/m)
    }
  })

  await t.test('on the status page', async () => {
    const { sections } = await firstMessage(adminPort)
    assert.equal(sections.run.uncounted, reason)
    assert.ok(sections.connections.limit > 0)
  })
})

/** First message that a status page gets. */
// biome-ignore lint/suspicious/noExplicitAny: its shape is of the page
function firstMessage(port: number): Promise<any> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/feed', timeout: 20_000 }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (!text.includes('\n\n')) return
        request.destroy()
        resolve(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? ''))
      })
    })
    request.once('timeout', () => request.destroy(new Error('no message in time')))
    request.once('error', reject)
  })
}
