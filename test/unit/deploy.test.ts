import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../../supervisor/site/config.ts'
import { noSources, yaml } from './site/load-config.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const read = (path: string) => readFileSync(join(deploy, path), 'utf8')

/** Configuration of a file below deploy/; a problem of it fails the test. */
function configOf(path: string) {
  const result = loadConfig({ ...noSources, ...yaml(read(path)) })
  assert.ok(result.ok, `${path}: ${JSON.stringify(result)}`)
  return result.config
}

interface Service {
  stop_grace_period: string
  configs?: { source: string }[]
  read_only?: boolean
  cap_drop?: string[]
  deploy?: { update_config: Record<string, unknown> }
}

interface ComposeFile {
  services: Record<string, Service>
  configs?: Record<string, { file: string }>
}

describe('deploy: one host', () => {
  it('has a configuration that is accepted, in which hosts are dynamic routes', () => {
    assert.equal(configOf('one-host/front.yaml').dynamic_routes?.store, 'file')
  })
})

describe('deploy: Compose and Swarm', () => {
  const compose = parse(read('compose/compose.yaml')) as ComposeFile
  const stack = parse(read('swarm/stack.yaml')) as ComposeFile
  const services = [
    ['compose app', compose.services.app, 'compose/config/monohull.yaml'],
    ['swarm app', stack.services.app, 'swarm/monohull.yaml'],
    ['swarm front', stack.services.front, 'swarm/front.yaml'],
  ] as const

  for (const [name, service, path] of services)
    it(`${name}: has a configuration that is accepted, more time to stop than it needs, and a read-only root`, () => {
      assert.ok(service)
      const graceMs = Number(service.stop_grace_period.replace(/s$/, '')) * 1000
      assert.ok(graceMs >= configOf(path).stop_timeout + 4000, service.stop_grace_period)
      assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']])
      for (const { source } of service.configs ?? [])
        assert.equal(`swarm/${stack.configs?.[source]?.file.slice(2)}`, path)
    })

  it('swarm app: stops serving only after every front has looked twice, and updates go back by themselves', () => {
    const { stop_delay: delayMs } = configOf('swarm/monohull.yaml')
    const { health } = configOf('swarm/front.yaml').upstreams.app ?? {}
    assert.ok(health && delayMs >= health.interval * health.fails + 5000)
    const { order, failure_action: action } = stack.services.app?.deploy?.update_config ?? {}
    assert.deepEqual([order, action], ['start-first', 'rollback'])
  })
})
