import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freePorts } from './free-ports.ts'
import { ask, fixture, startMonohull } from './monohull.ts'

/** Without the ports of other tests, which would override $PORT. */
const own = { MONOHULL_HTTP_PORT: undefined, MONOHULL_HTTPS_PORT: undefined, MONOHULL_WORKERS: '1' }

describe('a platform', { concurrency: 2 }, () => {
  it('Cloud Run: HTTP on $PORT, behind its proxy, with JSON lines, one of which says why', async t => {
    const [port = 0] = await freePorts(1)
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { ...own, K_SERVICE: 'shop', K_REVISION: 'shop-1', PORT: String(port) },
    })
    await monohull.serving()
    const headers = {
      host: 'shop.run.app',
      'x-forwarded-for': '198.51.100.9, 203.0.113.7',
      'x-forwarded-proto': 'https',
    }
    const { status, body } = await ask(port, { headers })
    assert.equal(status, 200)
    const seen = JSON.parse(body).headers
    assert.deepEqual([seen['x-real-ip'], seen['x-forwarded-proto']], ['203.0.113.7', 'https'])
    const lines = monohull
      .output()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const [line] = lines.filter(({ message }) => message === 'platform recognised')
    assert.deepEqual(
      [line.platform, line.http_port, line.https, line.stop_timeout_ms],
      ['cloud-run', port, 'off', 9000],
    )
  })

  it('Fly: SIGINT is a graceful stop', async t => {
    const [port = 0] = await freePorts(1)
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { ...own, FLY_APP_NAME: 'shop', FLY_MACHINE_ID: 'd89', PORT: String(port) },
    })
    await monohull.serving()
    const slow = ask(port, { path: '/slow?ms=1000' })
    const seesIt = async (): Promise<void> => (JSON.parse((await ask(port)).body).slow === 1 ? undefined : seesIt())
    await seesIt()
    monohull.signal('SIGINT')
    assert.equal((await slow).status, 200)
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /"mode":"graceful"/)
  })

  it('none: $PORT means what it means elsewhere', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { MONOHULL_WORKERS: '1', MONOHULL_PLATFORM: 'none', DYNO: 'web.1', PORT: '31337' },
    })
    const { httpPort, httpsPort } = await monohull.serving()
    assert.ok(httpPort !== 31337 && httpsPort)
    assert.equal((await ask(httpPort)).status, 308)
    assert.doesNotMatch(monohull.output(), /platform recognised/)
  })
})
