import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorld, historyOf, minute, plan, second, startInstance, type World } from './jobs-setup.ts'

const once = { ...plan, isShared: true }

/** Two instances that share a job, of which one may die without notice. */
async function createPair(world: World, given = once) {
  const alive = new Set(['one', 'two'])
  const shared = {
    judgeOwners: async () => (owner: string) => alive.has(owner),
    measureTime: async () => {},
    watch: () => () => {},
  }
  const start = (owner: string) => startInstance(world, [given], { owner, shared })
  const pair = [await start('one'), await start('two')] as const
  await world.hand.advance(10 * second)
  return { alive, one: pair[0], two: pair[1] }
}

describe('shared jobs', () => {
  it('run in one instance for each due time; another is taken for dead, and its run not repeated, once it is gone', async () => {
    const world = createWorld()
    const { alive, one, two } = await createPair(world)
    await world.hand.advance(50 * second)
    const running = [one, two].filter(instance => instance.alive().length === 1)
    assert.equal(running.length, 1)
    const [killed, other] = running[0] === one ? [one, two] : [two, one]
    killed.service.quiesce()
    alive.delete(killed === one ? 'one' : 'two')
    await world.hand.advance(30 * minute)
    assert.equal(other.children.length, 0)
    await world.hand.advance(30 * minute)
    assert.equal(other.children.length, 1)
    assert.match(other.lines.join(''), /job was cut off, its instance is gone job=report .* instance=(one|two)/)
    assert.deepEqual(await historyOf(other), ['schedule lost', 'schedule undefined'])
  })

  it('are skipped while another instance that is alive runs them', async () => {
    const world = createWorld()
    const { one, two } = await createPair(world)
    await world.hand.advance(61 * minute)
    assert.equal(one.children.length + two.children.length, 1)
    const lines = [...one.lines, ...two.lines].join('')
    assert.match(lines, /job skipped, its last run has not ended job=report due=2026-12-01T04:15:00.000Z/)
    assert.equal(
      [one, two].reduce((sum, { service }) => sum + (service.status()[0]?.skipped ?? 0), 0),
      1,
    )
  })

  it('run in an instance that starts just after they were due, because the one before has just stopped', async () => {
    const world = createWorld()
    const { one, two } = await createPair(world)
    await world.hand.advance(47 * second)
    one.service.quiesce()
    two.service.quiesce()
    await world.hand.advance(5 * second)
    const { one: next, two: other } = await createPair(world)
    assert.equal(next.children.length + other.children.length, 1, [...next.lines, ...other.lines].join(''))
    assert.doesNotMatch([...next.lines, ...other.lines].join(''), /job missed/)
  })

  it('run once for a claim whose reply was lost', async () => {
    const world = createWorld()
    const { one, two } = await createPair(world)
    world.store.loss = new Error('the connection was lost')
    await world.hand.advance(55 * second)
    assert.equal(one.children.length + two.children.length, 1, [...one.lines, ...two.lines].join(''))
    assert.equal(world.store.states.get('report')?.runs.length, 1)
  })

  it('do not run while the shared state is unavailable, and record the end of a run afterwards', async () => {
    const world = createWorld()
    const { one, two } = await createPair(world)
    await world.hand.advance(51 * second)
    const running = one.children.length === 1 ? one : two
    world.store.refuse = new Error('Redis is gone')
    running.children[0]?.exit({ kind: 'code', code: 0 })
    await world.hand.advance(minute)
    assert.deepEqual(await historyOf(running), ['schedule undefined'])
    await world.hand.advance(60 * minute)
    assert.equal(one.children.length + two.children.length, 1)
    assert.match(one.lines.join(''), /job is due, but the shared state is unavailable job=report due=2026-12-01T04:15/)
    world.store.refuse = undefined
    await world.hand.advance(10 * second)
    assert.deepEqual(await historyOf(running), ['schedule success'])
    const missed = [...one.lines, ...two.lines].filter(line => /job missed job=report runs=1 /.test(line))
    assert.equal(missed.length, 1)
  })
})
