import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createInspection } from '../../../supervisor/workers/inspection.ts'
import type { WorkerPlan } from '../../../supervisor/workers/plan.ts'
import { createFaultyPool } from './faulty-pool.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Inspection of a pool of two workers, whose inspectors open at addresses that count. */
async function setUp(plan: Partial<WorkerPlan> = {}, isNode = true) {
  const faulty = createFaultyPool(plan)
  await faulty.serve()
  function report(): void {
    for (const child of isNode ? faulty.alive() : []) child.notify('NODE_PID', `${child.pid}`)
  }
  report()
  const opened: string[] = []
  const closed: string[] = []
  const system = { opens: true }
  const inspection = createInspection({
    log: silent,
    pools: new Map([['app', faulty.pool]]),
    async openInspector(child, pid, former) {
      assert.equal(pid, child.pid)
      const address = system.opens ? `ws://127.0.0.1:${9000 + opened.length}/id` : undefined
      assert.ok(address === undefined || !former.has(address))
      if (address) opened.push(address)
      return address
    },
    async closeInspector(address) {
      closed.push(address)
      return true
    },
  })
  function refuse(): void {
    system.opens = false
  }
  return { ...faulty, inspection, opened, closed, refuse, report }
}

describe('inspectors of workers', () => {
  it('open once, say how to reach them, and open at another address after they were closed', async () => {
    const { inspection, opened } = await setUp()
    const first = await inspection.open('app.1')
    assert.match(first.message, /ws:\/\/127\.0\.0\.1:9000\/id[\s\S]*docker exec[\s\S]*inspect --close app\.1/)
    assert.deepEqual(await inspection.open('app.1'), first)
    assert.equal((await inspection.close('app.1')).ok, true)
    assert.match((await inspection.open('app.1')).message, /:9001/)
    assert.equal(opened.length, 2)
  })

  it('are lent for one profile at a time, and close when it ends, unless they were open before', async () => {
    const { inspection, closed } = await setUp()
    const lent = await inspection.lend('app.1')
    assert.ok(lent.ok)
    assert.match(JSON.stringify(await inspection.lend('app.1')), /a profile of it is being recorded/)
    assert.equal((await inspection.lend('app.2')).ok, true)
    await lent.release()
    assert.deepEqual(closed, [lent.address])
    const again = await inspection.lend('app.1')
    assert.ok(again.ok && again.address !== lent.address)
    await again.release()
    await inspection.open('app.1')
    const shared = await inspection.lend('app.1')
    assert.ok(shared.ok)
    await shared.release()
    assert.equal(closed.length, 2)
    assert.equal((await inspection.close('app.1')).ok, true)
    assert.match(JSON.stringify(await inspection.lend('app.9')), /choose from app\.1/)
  })

  it('of a worker that was replaced are those of the new one', async () => {
    const { inspection, opened, worker, ready, advance, report } = await setUp()
    await inspection.open('app.1')
    worker(1).exit()
    await ready()
    await advance(100)
    report()
    await inspection.open('app.1')
    assert.equal(opened.length, 2)
  })

  it('do not open where SIGUSR1 would end the program, and the reason says what to do', async () => {
    const { inspection, opened } = await setUp({ argv: ['gunicorn'] }, false)
    assert.match(JSON.stringify(await inspection.open('app.1')), /it runs gunicorn, not node; use a tool/)
    assert.equal(opened.length, 0)
  })

  it('name what cannot be opened or closed', async () => {
    const { inspection, refuse } = await setUp()
    assert.match(JSON.stringify(await inspection.open('app.3')), /choose from app\.1, app\.2/)
    assert.match(JSON.stringify(await inspection.open('web')), /choose from app\.1, app\.2/)
    assert.match(JSON.stringify(await inspection.close('app.1')), /was not opened/)
    refuse()
    assert.match(JSON.stringify(await inspection.open('app.1')), /handles SIGUSR1 itself/)
  })
})
