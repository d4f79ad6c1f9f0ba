import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { readInstance } from '../../supervisor/adapters/instance.ts'
import { ask, defer, isolatedEnv, temporaryFolder, until } from './monohull.ts'

const script = join(import.meta.dirname, '../../start.sh')

describe('start.sh on a host', () => {
  it('without arguments runs the welcome app in the foreground: HTTP redirects to HTTPS, SIGTERM ends it with 0', async t => {
    const folder = temporaryFolder(t)
    const log = join(folder, 'output.log')
    const descriptor = openSync(log, 'a')
    const child = spawn(script, [], {
      cwd: folder,
      env: isolatedEnv(folder),
      stdio: ['ignore', descriptor, descriptor],
    })
    closeSync(descriptor)
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    defer(t, async () => {
      child.kill('SIGINT')
      await exited
    })
    const details = () => readFileSync(log, 'utf8')
    const record = await until(
      'start.sh to serve',
      () => {
        const found = readInstance(join(folder, 'run'))
        return found?.isServing && found
      },
      { details },
    )
    assert.equal(record.supervisor.pid, child.pid, 'start.sh has become monohull: signals reach it')
    const redirect = await ask(record.httpPort, { path: '/hello', headers: { host: 'localhost' } })
    assert.deepEqual([redirect.status, redirect.headers.location], [308, `https://localhost:${record.httpsPort}/hello`])
    const page = await ask(record.httpsPort, { scheme: 'https' })
    assert.equal(page.status, 200)
    assert.match(page.body, /monohull run/)
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
  })

  it('passes its arguments on, and takes ports 8080 and 8443 when none are given', async t => {
    const folder = temporaryFolder(t)
    const { MONOHULL_HTTP_PORT: _http, MONOHULL_HTTPS_PORT: _https, ...env } = isolatedEnv(folder)
    const { stdout } = await promisify(execFile)(script, ['render'], { cwd: folder, env })
    assert.match(stdout, /listen 127\.0\.0\.1:8080 default_server/)
    assert.match(stdout, /listen 127\.0\.0\.1:8443 default_server.* ssl/)
    assert.match(stdout, /return 308 https:\/\/\$host:8443\$request_uri;/)
  })
})
