import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  platformDefaults,
  platformVariables,
  recognisePlatform,
  stopsOnInterrupt,
} from '../../../supervisor/config/platform.ts'
import { effectiveKeys } from '../../../supervisor/site/whole-config.ts'
import { accepted, noSources, refusedOnce, yaml } from '../site/load-config.ts'

interface Contract {
  env: Record<string, string>
  proxies: string[]
  port?: number
  /** `stop_timeout`, in ms. */
  stopMs: number
}

/** What each platform sets, and what follows from it. */
const contracts: Record<string, Contract> = {
  azure: {
    env: { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: 'abc', PORT: '8181' },
    proxies: ['private', '169.254.0.0/16'],
    stopMs: 4000,
  },
  'cloud-foundry': {
    env: { VCAP_APPLICATION: '{"name":"shop"}', CF_INSTANCE_INDEX: '0', PORT: '8080' },
    proxies: ['private', '169.254.0.0/16'],
    stopMs: 9000,
  },
  'cloud-run': {
    env: { K_SERVICE: 'shop', K_REVISION: 'shop-00001', K_CONFIGURATION: 'shop', PORT: '8080' },
    proxies: ['private', '169.254.0.0/16'],
    stopMs: 9000,
  },
  fly: { env: { FLY_APP_NAME: 'shop', FLY_MACHINE_ID: 'd89' }, proxies: ['private'], port: 8080, stopMs: 4000 },
  heroku: { env: { DYNO: 'web.1', PORT: '31337' }, proxies: ['private'], stopMs: 29_000 },
  railway: {
    env: { RAILWAY_PROJECT_ID: 'p', RAILWAY_SERVICE_ID: 's', PORT: '5000' },
    proxies: ['private'],
    stopMs: 9000,
  },
  render: {
    env: { RENDER: 'true', RENDER_SERVICE_ID: 'srv-1', PORT: '10000' },
    proxies: ['private', 'cloudflare'],
    stopMs: 29_000,
  },
}

describe('config/platform', () => {
  for (const [name, { env, proxies, port, stopMs }] of Object.entries(contracts))
    it(`${name} is recognised, and its contract sets the defaults`, () => {
      assert.equal(recognisePlatform(env), name)
      const config = accepted({ defaults: platformDefaults(name, env) })
      assert.deepEqual(
        [config.platform, config.http_port, config.https, config.trusted_proxies, config.log_format],
        [name, port ?? Number(env.PORT), 'off', proxies, 'json'],
      )
      assert.equal(config.stop_timeout, stopMs)
      assert.equal(config.app.graceful_timeout, Math.min(8000, stopMs))
    })

  it('is nothing that one variable alone could be', () => {
    for (const env of [
      {},
      { PORT: '80' },
      { RENDER: 'true' },
      { K_SERVICE: 'shop' },
      { FLY_APP_NAME: 'shop', FLY_MACHINE_ID: '' },
      { VCAP_APPLICATION: '{}' },
    ])
      assert.equal(recognisePlatform(env), undefined)
    assert.deepEqual(platformDefaults(undefined, { PORT: '80' }), {})
    assert.deepEqual(platformDefaults('none', { PORT: '80' }), {})
  })

  it('has the time to stop that was configured there', () => {
    assert.equal(platformDefaults('azure', { WEBSITES_CONTAINER_STOP_TIME_LIMIT: '60' }).stop_timeout, '59000ms')
    assert.equal(platformDefaults('railway', { RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '20' }).stop_timeout, '19000ms')
    for (const text of ['0', 'soon', ''])
      assert.equal(platformDefaults('railway', { RAILWAY_DEPLOYMENT_DRAINING_SECONDS: text }).stop_timeout, undefined)
  })

  it('has half of a short time to stop, and not the longer usual one', () => {
    const defaults = platformDefaults('azure', { WEBSITES_CONTAINER_STOP_TIME_LIMIT: '1' })
    const { stop_timeout, app } = accepted({ defaults })
    assert.deepEqual([stop_timeout, app.graceful_timeout], [500, 500])
  })

  const onHeroku = (PORT: string) => ({
    defaults: platformDefaults('heroku', { PORT }),
    defaultVariables: platformVariables('heroku', { PORT }),
  })

  it('names a port that is none: the platform connects to no other, so that the default would be unreachable', () => {
    for (const PORT of ['tcp://10.0.0.1:80', '-1', '1e3', 'abc', '99999', '123456']) {
      const { key, source, problem } = refusedOnce(onHeroku(PORT))
      assert.deepEqual([key, source], ['http_port', 'PORT'], PORT)
      assert.match(problem, /^expected a port/)
      assert.equal(accepted({ ...onHeroku(PORT), ...yaml('http_port: 7000') }).http_port, 7000)
      assert.equal(refusedOnce({ ...onHeroku(PORT), ...yaml('http_port: 70000') }).source, 'monohull.yaml:1')
    }
    assert.equal('http_port' in platformDefaults('heroku', { PORT: '' }), false)
    assert.deepEqual(platformVariables(undefined, { PORT: '80' }), {})
  })

  it('is named as the source of the port', () => {
    const port = (sources: object) =>
      effectiveKeys({ ...noSources, ...sources }).find(({ key }) => key === 'http_port')?.source
    assert.deepEqual(
      [port(onHeroku('9000')), port({ ...onHeroku('9000'), ...yaml('http_port: 7000') })],
      ['PORT', 'monohull.yaml:1'],
    )
  })

  it('can be named, and yields to the file', () => {
    const defaults = platformDefaults('app-runner', { PORT: '9000' })
    const { http_port, https, platform } = accepted({ defaults, ...yaml('http_port: 7000') })
    assert.deepEqual([http_port, https, platform], [7000, 'off', 'app-runner'])
    const onDigitalOcean = accepted({ defaults: platformDefaults('digitalocean', {}) })
    assert.deepEqual(
      [onDigitalOcean.http_port, onDigitalOcean.https, onDigitalOcean.trusted_proxies, onDigitalOcean.stop_timeout],
      [8080, 'off', ['private', 'cloudflare'], 9000],
    )
    assert.match(refusedOnce(yaml('platform: herokuu')).problem, /^expected none or a platform: app-runner, azure, /)
  })

  it('asks with SIGINT on Fly only', () => {
    assert.deepEqual((['fly', 'heroku', 'none', undefined] as const).map(stopsOnInterrupt), [true, false, false, false])
  })
})
