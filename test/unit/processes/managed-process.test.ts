import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manageProcess } from '../../../supervisor/processes/managed-process.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem } from '../refusing-system.ts'

/** A process that ignores SIGTERM, with a second to end. */
function createStubborn() {
  const { clock, advance } = createHandClock()
  const system = createRefusingSystem()
  const spec = { name: 'app.1', argv: ['app'], directory: '/', env: {}, uid: undefined, gid: undefined }
  const child = system.spawn({ ...spec, inherit: [], output: 'direct', notify: false })
  system.children[0]?.ignore('SIGTERM')
  const policy = { stopSignal: 'SIGTERM', bootTimeoutMs: 60_000, graceMs: 1000, endsGroup: true } as const
  const process = manageProcess({ child, clock, policy, onReady() {} })
  return { process, advance, isAlive: () => system.alive().length > 0 }
}

describe('a managed process that ignores SIGTERM', { timeout: 10_000 }, () => {
  it('is killed at the first deadline, whatever a later stop allows', async () => {
    const { process, advance, isAlive } = createStubborn()
    process.stop()
    await advance(900)
    process.stop(5000)
    await advance(101)
    assert.equal(isAlive(), false)
  })

  it('is killed sooner if a later stop says so', async () => {
    const { process, advance, isAlive } = createStubborn()
    process.stop()
    process.stop(50)
    await advance(51)
    assert.equal(isAlive(), false)
  })
})
