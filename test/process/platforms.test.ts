import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freePorts } from './free-ports.ts'
import { ask, fixture, startMonohull } from './monohull.ts'

/** Without the ports of other tests, which would override $PORT. */
const own = { MONOHULL_HTTP_PORT: undefined, MONOHULL_HTTPS_PORT: undefined, MONOHULL_WORKERS: '1' }

/** Variables of each platform, and those by which others are named. */
const variables: Record<string, Record<string, string>> = {
  'app-runner': { MONOHULL_PLATFORM: 'app-runner' },
  azure: { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: 'abc' },
  'cloud-foundry': { VCAP_APPLICATION: '{"name":"shop"}', CF_INSTANCE_INDEX: '0' },
  digitalocean: { MONOHULL_PLATFORM: 'digitalocean' },
  fly: { FLY_APP_NAME: 'shop', FLY_MACHINE_ID: 'd89' },
  heroku: { DYNO: 'web.1' },
  railway: { RAILWAY_PROJECT_ID: 'p', RAILWAY_SERVICE_ID: 's' },
  render: { RENDER: 'true', RENDER_SERVICE_ID: 'srv-1' },
}

/** Platforms behind Cloudflare, and an address of Cloudflare. */
const behindCloudflare = new Set(['render', 'digitalocean'])
const cloudflare = '104.16.0.1'

describe('a platform', { concurrency: 2 }, () => {
  for (const [platform, env] of Object.entries(variables))
    it(`${platform}: HTTP on $PORT, behind its proxy, with JSON lines`, async t => {
      const [port = 0] = await freePorts(1)
      const monohull = startMonohull(t, {
        args: ['run', 'node', fixture('hello.cjs')],
        env: { ...own, ...env, PORT: String(port) },
      })
      await monohull.serving()
      const forwarded = `198.51.100.9, 203.0.113.7${behindCloudflare.has(platform) ? `, ${cloudflare}` : ''}`
      const headers = { host: 'shop.test', 'x-forwarded-for': forwarded, 'x-forwarded-proto': 'https' }
      const { status, body } = await ask(port, { headers })
      assert.equal(status, 200)
      const seen = JSON.parse(body).headers
      assert.deepEqual([seen['x-real-ip'], seen['x-forwarded-proto']], ['203.0.113.7', 'https'])
      const lines = monohull.output().trim().split('\n')
      const said = lines.map(line => JSON.parse(line)).filter(({ message }) => message === 'platform recognised')
      assert.deepEqual([said.length, said[0]?.platform, said[0]?.http_port], [1, platform, port])
    })

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

  for (const [where, env] of [
    ['none', { MONOHULL_PLATFORM: 'none', DYNO: 'web.1' }],
    ['elsewhere', { K_SERVICE: 'shop' }],
  ] as const)
    it(`${where}: $PORT means what it means elsewhere`, async t => {
      const monohull = startMonohull(t, {
        args: ['run', 'node', fixture('hello.cjs')],
        env: { MONOHULL_WORKERS: '1', ...env, PORT: '31337' },
      })
      const { httpPort, httpsPort } = await monohull.serving()
      assert.ok(httpPort !== 31337 && httpsPort)
      assert.equal((await ask(httpPort)).status, 308)
      assert.doesNotMatch(monohull.output(), /platform recognised/)
    })
})
