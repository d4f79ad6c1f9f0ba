// needs: pebble
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Authority, startAuthority } from './acme-authority.ts'
import { fixture, type Monohull, startMonohull, until } from './monohull.ts'

/** Reloads with another configuration; settles with what came of it. */
async function reloadWith(monohull: Monohull, config: string): Promise<string> {
  const from = monohull.output().length
  writeFileSync(join(monohull.folder, 'monohull.yaml'), config)
  monohull.signal('SIGHUP')
  return (await monohull.seen(/reload (abandoned|finished)/, from))[1] ?? ''
}

describe('a reload that is abandoned', { concurrency: 3 }, () => {
  it('leaves the configuration of nginx as it is while workers come and go', async t => {
    const config = (hours: number, env: string) => `https: off
trusted_proxies: [127.0.0.1]
tls: {hsts: {max_age: ${hours}h}}
routes: [{path: /, app: app}, {path: /files, files: {root: files${hours}}}]
app: {command: [node, ${fixture('hello.cjs')}], workers: 2, listen: port, min_uptime: 200ms, env: {${env}}}
`
    const files = { 'monohull.yaml': config(1, ''), 'files1/a.txt': 'one', 'files2/a.txt': 'two' }
    const monohull = startMonohull(t, { files, args: ['run'], env: { MONOHULL_WORKERS: undefined } })
    await monohull.serving()
    const sent = async () => {
      const { headers } = await monohull.request({ headers: { 'x-forwarded-proto': 'https' } })
      return headers['strict-transport-security']
    }
    assert.equal(await sent(), 'max-age=3600')
    // the first worker rolls, with another port for nginx to be told of; the second does not come up
    const failing = config(2, 'NODE_OPTIONS: "--require=./second-fails.cjs"')
    writeFileSync(join(monohull.folder, 'second-fails.cjs'), "if (process.env.MONOHULL_SLOT === '2') process.exit(9)\n")
    assert.equal(await reloadWith(monohull, failing), 'abandoned')
    await until('both workers', async () => (await monohull.request()).status === 200)
    assert.equal(await sent(), 'max-age=3600')
    assert.equal((await monohull.request({ path: '/files/a.txt' })).body, 'one')
    process.kill(monohull.worker(1), 'SIGKILL')
    await monohull.seen(/worker ready worker=app\.1(?![\s\S]*worker died)/)
    assert.equal(await sent(), 'max-age=3600')
  })
})

describe('a reload of several apps', { concurrency: 2 }, () => {
  const program = `require('node:http').createServer((_, response) => response.end(process.env.VERSION)).listen(3000)
if (process.env.CRASH) setTimeout(() => process.exit(7), 50)
`
  const config = (version: number, crash = '') => `https: off
routes: [{path: /, app: web}, {path: /api, app: api}]
apps:
  web: {command: [node, app.cjs], workers: 1, min_uptime: 200ms, env: {VERSION: "${version}"}}
  api: {command: [node, app.cjs], workers: 1, min_uptime: 200ms, env: {VERSION: "${version}"${crash}}}
`

  it('shows no visitor the new version of one app when another fails its trial', async t => {
    const files = { 'monohull.yaml': config(1), 'app.cjs': program }
    const monohull = startMonohull(t, { files, env: { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined } })
    await monohull.serving()
    const seen = new Set<string>()
    let isOver = false
    const visits = (async () => {
      while (!isOver) for (const path of ['/', '/api']) seen.add((await monohull.request({ path })).body)
    })()
    assert.equal(await reloadWith(monohull, config(2, ', CRASH: "1"')), 'abandoned')
    assert.match(monohull.output(), /worker ready worker=web\.1[\s\S]*api\.1: the new worker ended with exit code 7/)
    isOver = true
    await visits
    assert.deepEqual([...seen], ['1'])
    assert.equal(await reloadWith(monohull, config(3)), 'finished')
    // an idle connection may lead to an old worker once more
    for (const path of ['/', '/api'])
      await until(`the new version of ${path}`, async () => (await monohull.request({ path })).body === '3')
  })
})

describe('a reload that changes tls.acme while an order runs', { concurrency: 2 }, () => {
  /** A hook that says when it begins and ends, and does not end by itself. */
  const hook = `const { appendFileSync } = require('node:fs')
const note = text => appendFileSync('hook.log', text + '\\n')
note(process.argv[2] + ' begins')
if (process.argv[2] === 'remove') { note('remove ends'); process.exit() }
process.on('SIGTERM', () => { note('add ends'); process.exit(1) })
setInterval(() => {}, 1000)
`
  const configOf = ({ env }: Authority, keyType: string) => `tls:
  acme:
    directory: ${env.MONOHULL_TLS_ACME_DIRECTORY}
    ca_file: ${env.MONOHULL_TLS_ACME_CA_FILE}
    domains: [one.test]
    challenge: dns-01
    dns_hook: [node, hook.cjs]
    key_type: ${keyType}
`

  it('ends the order before the next one begins', async t => {
    const authority = await startAuthority(t)
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      files: { 'monohull.yaml': configOf(authority, 'ecdsa'), 'hook.cjs': hook },
      env: { ...authority.env, MONOHULL_CONFIG: 'monohull.yaml' },
    })
    const log = join(monohull.folder, 'hook.log')
    const noted = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [])
    await monohull.serving()
    await until('the first hook', () => noted().includes('add begins'))
    assert.equal(await reloadWith(monohull, configOf(authority, 'rsa')), 'finished')
    await until('the second hook', () => noted().filter(line => line === 'add begins').length === 2)
    assert.deepEqual(noted(), ['add begins', 'add ends', 'remove begins', 'remove ends', 'add begins'])
    assert.doesNotMatch(monohull.output(), /certificate not obtained/)
  })
})
