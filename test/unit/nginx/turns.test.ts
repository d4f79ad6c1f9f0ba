import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type { RenderedNginx } from '../../../supervisor/nginx/complaint.ts'
import { createNginx } from '../../../supervisor/nginx/service.ts'
import type { Child } from '../../../supervisor/processes/child.ts'
import { renderConfiguration } from '../../../supervisor/site/render.ts'
import { plainModel } from '../site/nginx-models/plain-model.ts'

const modelOf = (workerProcesses: number): RenderedNginx => renderConfiguration({ ...plainModel, workerProcesses })
const unused = () => assert.fail('not expected')

/** nginx whose test takes until it is let go, and whose workers follow each HUP at once, unless it refuses. */
function setUp() {
  const calls: string[] = []
  const tests: (() => void)[] = []
  const world = { refuses: false, isGone: false }
  let workers = 100
  let staged = 0
  const child: Child = {
    pid: 42,
    exited: new Promise(() => {}),
    signal(signal) {
      calls.push(signal)
      if (signal === 'SIGHUP' && !world.refuses) workers++
      return !world.isGone
    },
    signalGroup: () => true,
    groupAlive: () => true,
    lastLines: () => [],
    outputEnded: async () => {},
    onNotify: unused,
  }
  let now = 0
  const nginx = createNginx({
    // time passes with each look, so that nothing waits
    clock: { ...systemClock, monotonic: () => (now += 100), after: (_ms, act) => systemClock.after(0, act) },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    random: () => 0.5,
    spawn: () => child,
    files: {
      currentDirectory: '/current',
      stage(rendered) {
        staged++
        calls.push(`stage ${staged}: ${/worker_processes (\d+)/.exec(rendered.get('rendered/main.conf') ?? '')?.[1]}`)
        return `${staged}`
      },
      async test(folder) {
        await new Promise<void>(resolve => tests.push(resolve))
        return { ok: true, warnings: [], text: folder }
      },
      promote(folder) {
        calls.push(`promote ${folder}`)
        return `before ${folder}`
      },
      discard: folder => void calls.push(`discard ${folder}`),
    },
    processes: {
      childrenOf: () => [workers],
      isNginxDraining: pid => pid < workers,
      isGroupDraining: () => true,
      isHandlingSignal: () => undefined,
      endWorker: () => {},
      wakeUpsOf: () => 0,
    },
    askGeneration: async () => undefined,
    descriptors: [],
    env: {},
  })
  async function letGo(): Promise<void> {
    while (tests.length === 0) await new Promise(resolve => setImmediate(resolve))
    tests.shift()?.()
  }
  return { nginx, calls, world, letGo }
}

describe('nginx/service', () => {
  it('runs checks and reloads one at a time, each with its own staged files', async () => {
    const { nginx, calls, letGo } = setUp()
    await nginx.start(modelOf(1))
    calls.length = 0
    const done = Promise.all([nginx.check(() => modelOf(2)), nginx.apply(() => modelOf(3))])
    await letGo()
    await letGo()
    await done
    assert.deepEqual(calls, ['stage 2: 2', 'discard 2', 'stage 3: 3', 'promote 3', 'SIGHUP'])
  })

  it('renders when its turn comes, after the previous change is in effect', async () => {
    const { nginx, calls, letGo } = setUp()
    let processes = 1
    await nginx.start(modelOf(1))
    calls.length = 0
    const applied = nginx.apply(
      () => modelOf(2),
      () => {
        processes = 2
      },
    )
    const followed = nginx.follow(() => modelOf(processes))
    await letGo()
    await Promise.all([applied, followed])
    assert.deepEqual(calls, ['stage 2: 2', 'promote 2', 'SIGHUP'])
  })

  it('restores the last configuration after a refused one, and loads it again', async () => {
    const { nginx, calls, world, letGo } = setUp()
    await nginx.start(modelOf(1))
    calls.length = 0
    world.refuses = true
    const refused = assert.rejects(
      nginx.apply(
        () => modelOf(2),
        () => assert.fail('it was not applied'),
      ),
      /did not apply/,
    )
    await letGo()
    await refused
    assert.deepEqual(calls, ['stage 2: 2', 'promote 2', 'SIGHUP', 'promote before 2'])
    world.refuses = false
    const followed = nginx.follow(() => modelOf(1))
    await letGo()
    await followed
    assert.deepEqual(calls.slice(4), ['stage 3: 1', 'promote 3', 'SIGHUP'])
  })

  it('discards a configuration if a stop comes before the end of its test', async () => {
    const { nginx, calls, letGo } = setUp()
    await nginx.start(modelOf(1))
    calls.length = 0
    const applied = assert.rejects(
      nginx.apply(() => modelOf(2)),
      /monohull is stopping/,
    )
    while (calls.length === 0) await new Promise(resolve => setImmediate(resolve))
    void nginx.stop('graceful', 0)
    await letGo()
    await applied
    assert.deepEqual(calls.slice(0, 2), ['stage 2: 2', 'discard 2'])
  })
})
