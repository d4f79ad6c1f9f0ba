import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'
import { takenPort } from './taken-port.ts'

const hello = fixture('hello.cjs')

describe('monohull check', () => {
  it('names every problem with its fix, and exits with 78', async t => {
    const folder = temporaryFolder(t, {
      'certs/fullchain.pem': 'rubbish',
      'certs/privkey.pem': 'rubbish',
      'nginx/http.d/bad.conf': 'nonsense;\n',
    })
    const port = await takenPort(t)
    const monohull = startMonohull(t, {
      folder,
      args: ['check', 'node', hello],
      env: {
        MONOHULL_HTTP_PORT: String(port),
        MONOHULL_METRICS_PORT: String(await takenPort(t)),
        MONOHULL_ADMIN_PORT: '0',
        MONOHULL_ADMIN_BIND: '203.0.113.7',
        MONOHULL_ADMIN_TOKEN: 'a-token-of-the-tests',
        MONOHULL_LOGS_FILES_DIRECTORY: hello,
      },
    })
    assert.equal(await monohull.exited, 78)
    const ports = [/the port is taken/, /metrics\.port: .*another program listens/, /admin\.port: .*EADDRNOTAVAIL/]
    for (const part of [
      /6 problems/,
      ...ports,
      /logs\.files\.directory: .* is not a directory/,
      /fullchain\.pem contains no PEM certificate/,
      /bad\.conf:1/,
    ])
      assert.match(monohull.output(), part)
  })

  it('names an address that it cannot bind once, and a script that does not exist', async t => {
    const monohull = startMonohull(t, {
      args: ['check', 'node', 'missing.js'],
      env: { MONOHULL_BIND_ADDRESSES: '192.0.2.1' },
    })
    assert.equal(await monohull.exited, 78)
    for (const part of [/2 problems/, /this machine has no such address/, /app\.command: does not exist in .*missing/])
      assert.match(monohull.output(), part)
  })

  it('only warns of a missing script that init may create', async t => {
    const files = { 'monohull.yaml': 'init: [[touch, missing.js]]\n' }
    const monohull = startMonohull(t, { args: ['check', 'node', 'missing.js'], files })
    assert.equal(await monohull.exited, 0, monohull.output())
    assert.match(monohull.output(), /warning: app\.command: missing\.js does not exist/)
  })

  it('says that all is well, and leaves nothing behind', async t => {
    const monohull = startMonohull(t, { args: ['check', 'node', hello] })
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /no problems found/)
  })

  it('tells what nginx warns of, by its key', async t => {
    const files = { 'monohull.yaml': 'allow: [127.0.0.1, 10.0.0.1/8]\n' }
    const monohull = startMonohull(t, { args: ['check', 'node', hello], files })
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /nginx warns: .*10\.0\.0\.1\/8 .* in rendered\/site\.conf:\d+ \(allow, deny\)/)
    assert.match(monohull.output(), /no problems found, 1 warning\n$/)
  })

  it('prints JSON, and fails because of warnings if it is strict', async t => {
    const files = { 'monohull.yaml': 'allow: [127.0.0.1, 10.0.0.1/8]\n' }
    const monohull = startMonohull(t, { args: ['check', '--strict', '--json', 'node', hello], files })
    assert.equal(await monohull.exited, 78)
    const { problems, warnings, notes } = JSON.parse(monohull.output())
    assert.deepEqual([problems.length, warnings.length], [0, 1])
    assert.match(warnings[0], /nginx warns/)
    assert.ok(Array.isArray(notes))
  })

  it('can be asked while an instance runs', async t => {
    const running = startMonohull(t, { args: ['run', 'node', hello] })
    const { httpPort } = await running.serving()
    writeFileSync(join(running.folder, 'monohull.yaml'), `http_port: ${httpPort}\n`)
    const checked = startMonohull(t, { folder: running.folder, args: ['check', 'node', hello] })
    assert.equal(await checked.exited, 0, checked.output())
    assert.match(checked.output(), /is already running in/)
  })
})

describe('monohull render and help', () => {
  it('render prints the nginx configuration', async t => {
    const monohull = startMonohull(t, { args: ['render', '--workers', '3', 'node', hello] })
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /# ---- nginx\.conf[\s\S]*server unix:.*app-3\.sock/)
  })

  it('help lists the commands; version tells the version', async t => {
    const help = startMonohull(t, { args: ['help'] })
    assert.equal(await help.exited, 0)
    for (const command of ['run', 'check', 'render', 'version'])
      assert.match(help.output(), new RegExp(`^  ${command}`, 'm'))
    const version = startMonohull(t, { args: ['version'] })
    assert.equal(await version.exited, 0)
    assert.match(version.output(), /^monohull \d+\.\d+\.\d+/)
  })
})
