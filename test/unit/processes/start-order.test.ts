import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createStartOrder, inStartOrder } from '../../../supervisor/processes/start-order.ts'

function setUp() {
  const order = createStartOrder()
  const started: string[] = []
  const hold = (name: string, ...after: string[]) =>
    order.hold(
      name,
      () => after,
      () => started.push(name),
    )
  return { order, started, hold }
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>(resolve => setImmediate(resolve, false))])
}

describe('processes/start-order', () => {
  it('starts at once what comes after nothing, and the others in turn', () => {
    const { order, started, hold } = setUp()
    hold('web', 'queue')
    hold('queue', 'redis')
    hold('redis')
    assert.deepEqual(started, ['redis'])
    assert.deepEqual([order.waitsFor('web'), order.waitsFor('redis')], [['queue'], undefined])
    order.report('redis', 'ready')
    assert.deepEqual(started, ['redis', 'queue'])
    order.report('redis', 'failed')
    order.report('queue', 'ready')
    assert.deepEqual(started, ['redis', 'queue', 'web'])
  })

  it('starts nothing whose wait was ended, and reads again what is waited for', () => {
    const order = createStartOrder()
    const started: string[] = []
    let after = ['redis']
    order.hold(
      'web',
      () => after,
      () => started.push('web'),
    )
    order.hold(
      'queue',
      () => ['redis'],
      () => started.push('queue'),
    )()
    after = []
    order.refresh()
    order.report('redis', 'ready')
    assert.deepEqual(started, ['web'])
  })

  it('knows who waits for a program, also through others', () => {
    const { order, hold } = setUp()
    hold('queue', 'redis')
    hold('web', 'queue')
    hold('mail', 'database')
    assert.deepEqual(order.waitingFor('redis'), ['queue', 'web'])
    order.report('redis', 'ready')
    assert.deepEqual([order.waitingFor('redis'), order.waitingFor('queue')], [[], ['web']])
  })

  it('knows what cannot become ready for now, because what it comes after has failed', async () => {
    const { order, hold } = setUp()
    hold('queue', 'redis')
    const settled = order.settled(['queue'])
    const ready = order.ready(['queue'])
    assert.equal(await isSettled(settled), false)
    order.report('redis', 'failed')
    assert.deepEqual([await isSettled(settled), await isSettled(ready)], [true, false])
    order.report('redis', 'ready')
    order.report('queue', 'ready')
    assert.equal(await isSettled(ready), true)
  })
})

describe('processes/start-order: inStartOrder', () => {
  it('keeps the order of what does not depend on each other', () => {
    const items = [
      { name: 'web', after: ['queue', 'nobody'] },
      { name: 'cron' },
      { name: 'queue', after: ['redis'] },
      { name: 'redis' },
    ]
    assert.deepEqual(
      inStartOrder(items).map(({ name }) => name),
      ['redis', 'queue', 'web', 'cron'],
    )
  })
})
