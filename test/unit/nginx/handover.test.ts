import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HandoverDeps, observeHandover } from '../../../supervisor/nginx/handover.ts'
import { createHandClock } from '../hand-clock.ts'

const master = 42
const generation = 7

/** A master with one worker, which has been told to load the generation. */
function setUp() {
  const { clock, advance } = createHandClock()
  const world = {
    isHandling: true as boolean | undefined,
    children: [100],
    draining: [] as number[],
    running: 6 as number | undefined,
    hasExited: false,
  }
  const warnings: string[] = []
  const deps: HandoverDeps = {
    clock,
    log: { debug() {}, info() {}, error() {}, warn: message => void warnings.push(message) },
    processes: {
      childrenOf: () => world.children,
      isNginxDraining: pid => world.draining.includes(pid),
      isHandlingSignal: () => world.isHandling,
    },
    askGeneration: async () => world.running,
  }
  let result: string | undefined
  const observed = observeHandover(deps, { pid: master, known: [100], generation, hasExited: () => world.hasExited })
  void observed.then(found => {
    result = found
  })
  async function pass(ms: number): Promise<string | undefined> {
    for (let passed = 0; passed < ms && result === undefined; passed += 10) await advance(10)
    return result
  }
  function takes() {
    world.children = [100, 200]
    world.draining = [100]
    world.running = generation
    world.isHandling = false
  }
  return { world, warnings, pass, takes }
}

describe('nginx/handover: a reload', { timeout: 20_000 }, () => {
  it('is taken when only workers of the generation accept', async () => {
    const { world, pass, takes } = setUp()
    await pass(50)
    world.children = [100, 200]
    world.running = generation
    assert.equal(await pass(200), undefined, 'the old worker accepts')
    takes()
    assert.equal(await pass(50), 'taken')
  })

  it('is taken although nginx loads for longer than ten seconds, which is logged once', async () => {
    const { warnings, pass, takes } = setUp()
    assert.equal(await pass(12_000), undefined)
    assert.deepEqual(warnings, ['nginx takes long to load its configuration'])
    takes()
    assert.equal(await pass(50), 'taken')
  })

  it('is refused as soon as the master waits again with its old workers', async () => {
    const { world, pass } = setUp()
    await pass(50)
    world.isHandling = false
    assert.equal(await pass(50), 'refused')
  })

  it('is not taken when a worker that died was replaced by one of the old generation', async () => {
    const { world, pass } = setUp()
    await pass(50)
    world.children = [300]
    world.draining = [100]
    world.isHandling = false
    assert.equal(await pass(20_000), 'unclear')
  })

  it('is taken when no worker responds, but all have been replaced', async () => {
    const { world, pass, takes } = setUp()
    takes()
    world.running = undefined
    assert.equal(await pass(50), 'taken')
  })

  it('without a view of signals is taken or unclear after ten seconds', async () => {
    const { world, pass } = setUp()
    world.isHandling = undefined
    assert.equal(await pass(9000), undefined)
    assert.equal(await pass(2000), 'unclear')
  })

  it('is gone with its master', async () => {
    const { world, pass } = setUp()
    world.hasExited = true
    assert.equal(await pass(50), 'gone')
  })
})
