import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { type DetachedProcess, findDetached, signalDetached } from '../../../supervisor/processes/adapters/detached.ts'
import { createDetachedWatch, type DetachedPolicy } from '../../../supervisor/workers/detached.ts'
import { createHandClock } from '../hand-clock.ts'

const daemon: DetachedProcess = { worker: 'app.1', pid: 70, group: 70, command: 'daemon', startTime: 7 }

/** A watch that finds these processes. */
function watch(found: DetachedProcess[], policy: DetachedPolicy) {
  const { clock, advance } = createHandClock()
  const lines: string[] = []
  const signals: string[] = []
  const living: string[] = []
  const warn = (message: string) => void lines.push(message)
  const watched = createDetachedWatch({
    clock,
    log: { debug() {}, info() {}, warn, error() {} },
    find(now) {
      living.push([...now].map(([name, pids]) => `${name}: ${[...pids]}`).join())
      return found
    },
    signal: ({ pid }, signal) => void signals.push(`${signal} ${pid}`),
    policyOf: () => policy,
  })
  return { ...watched, advance, lines, signals, living }
}

describe('processes that workers leave behind', () => {
  it('are reported once, however many workers end after that', async () => {
    const { started, ended, advance, lines, signals, living } = watch([daemon], 'report')
    for (const pid of [50, 51]) started('app.1', pid)
    ended('app.1', 50)
    await advance(300)
    ended('app.1', 51)
    await advance(300)
    assert.deepEqual(lines, ['a worker left a process behind'])
    assert.deepEqual(living, ['app.1: 51', 'app.1: '])
    assert.deepEqual(signals, [])
  })

  it('are ended with SIGTERM, then SIGKILL', async () => {
    const { started, ended, advance, signals } = watch([daemon], 'end')
    started('app.1', 50)
    ended('app.1', 50)
    await advance(300)
    assert.deepEqual(signals, ['SIGTERM 70'])
    await advance(2000)
    assert.deepEqual(signals, ['SIGTERM 70', 'SIGKILL 70'])
  })

  it('are looked for once more at a stop', async () => {
    const { stop, advance, signals } = watch([daemon], 'end')
    const stopped = stop()
    await advance(400)
    await stopped
    assert.deepEqual(signals, ['SIGTERM 70', 'SIGKILL 70'])
  })

  it('are not the other members of a process group, which end with their worker', async () => {
    const { started, ended, advance, lines } = watch([{ ...daemon, group: 50 }], 'report')
    started('app.1', 50)
    ended('app.1', 50)
    await advance(300)
    assert.deepEqual(lines, [])
  })

  it('are found by their environment, outside of the tree and before the present worker', t => {
    const runDir = `/run/test-${process.pid}`
    const env = { ...process.env, MONOHULL_WORKER: 'app.1', MONOHULL_RUN_DIR: runDir }
    const child = spawn('sleep', ['60'], { env, stdio: 'ignore' })
    spawnSync('sh', ['-c', 'setsid sleep 60 & setsid sleep 60 &'], { env, stdio: 'ignore' })
    const found = findDetached(runDir, new Map())
    t.after(() => {
      child.kill('SIGKILL')
      for (const one of found) signalDetached(one, 'SIGKILL')
    })
    assert.deepEqual(
      found.map(({ worker }) => worker),
      ['app.1', 'app.1'],
    )
    assert.ok(found.every(({ pid }) => pid !== child.pid))
    assert.deepEqual(findDetached('/run/other', new Map()), [])
    const [first] = found
    assert.ok(first)
    assert.deepEqual(findDetached(runDir, new Map([['app.1', new Set([first.pid])]])), [])
    assert.equal(findDetached(runDir, new Map([['app.2', new Set([first.pid])]])).length, 2)
  })
})
