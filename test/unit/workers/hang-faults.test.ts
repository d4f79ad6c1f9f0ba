import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { manageProcess } from '../../../supervisor/processes/managed-process.ts'
import { httpProbe } from '../../../supervisor/workers/adapters/http-probe.ts'
import { createHangWatch } from '../../../supervisor/workers/hangs/hang-watch.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem, systemError } from '../refusing-system.ts'
import { withoutDescriptors } from '../without-descriptors.ts'
import { appPlan } from './faulty-pool.ts'

const timeout = 5000

/** A ready worker whose stack cannot be read, and its watch, not begun yet. */
function createWatched() {
  const { clock, advance } = createHandClock()
  const system = createRefusingSystem()
  const child = system.spawn({ name: 'app.1' } as never)
  const process = manageProcess({
    child,
    clock,
    policy: { stopSignal: 'SIGTERM', bootTimeoutMs: 30_000, graceMs: 1000, endsGroup: true },
    onReady() {},
  })
  const watch = createHangWatch({
    clock,
    child,
    process,
    endpoint: { own: { kind: 'unix', path: '/none' }, socket: undefined, port: undefined, close() {} },
    plan: { ...appPlan, timeoutMs: 1000 },
    probe: { responds: async () => true, respondsToGet: async () => true },
    nodePid: () => undefined,
    async readStack() {
      throw systemError('EMFILE', 'connect')
    },
  })
  process.markReady()
  return { watch, process, advance, beat: () => system.children[0]?.notify('WATCHDOG', '1') }
}

describe('a worker that hangs', { timeout }, () => {
  it('is ended though its stack cannot be read', async () => {
    const { watch, process, advance, beat } = createWatched()
    beat()
    watch.begin()
    await advance(3000)
    assert.equal((await process.ended).cause, 'hung')
    assert.match(watch.finding()?.what ?? '', /event loop/)
    watch.end()
  })

  it('is ended though its first heartbeat came after its readiness, and was the only one', async () => {
    const { watch, process, advance, beat } = createWatched()
    watch.begin()
    beat()
    await advance(3000)
    assert.equal((await process.ended).cause, 'hung')
    watch.end()
  })
})

describe('a worker that is profiled', { timeout }, () => {
  it('may hang until that has ended, and not longer', async () => {
    const { watch, process, advance, beat } = createWatched()
    beat()
    watch.begin()
    const [first, second] = [watch.hold(), watch.hold()]
    await advance(10_000)
    beat()
    first()
    await advance(10_000)
    assert.equal(process.state().name, 'ready')
    second()
    assert.equal(process.state().name, 'ready')
    await advance(3000)
    assert.equal((await process.ended).cause, 'hung')
    watch.end()
  })
})

describe('a worker that cannot be asked for want of descriptors', { timeout }, () => {
  it('is not taken for one that hangs, nor for one that is ready', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-probe-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'app.sock')
    const address = { kind: 'unix', path } as const
    const server = createServer(() => {})
    await new Promise<void>(resolve => server.listen(path, resolve))
    t.after(() => server.close())
    const asked = await withoutDescriptors(() =>
      Promise.all([httpProbe.respondsToGet(address, '/health', 1000), httpProbe.responds(address, 1000)]),
    )
    assert.deepEqual(asked, [true, false])
  })
})
