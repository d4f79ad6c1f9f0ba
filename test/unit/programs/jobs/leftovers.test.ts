import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { findMarked, signalDetached } from '../../../../supervisor/processes/adapters/detached.ts'
import { runVariable } from '../../../../supervisor/programs/jobs/leftovers.ts'
import { createWorld, historyOf, minute, plan, second, startInstance } from './jobs-setup.ts'

const daemon = { pid: 70, group: 70, command: 'daemon', startTime: 7 }

describe('programs/jobs: processes that a run left behind in sessions of their own', () => {
  it('get TERM and then KILL after a timeout, before the next attempt', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [
      { ...plan, timeoutMs: minute, retries: 1, backoff: { initialMs: 1, maxMs: 1 } },
    ])
    await jobs.service.operations.run('report', { waits: false })
    jobs.leftovers.push({ ...daemon, endsAt: 'SIGKILL' }, { ...daemon, pid: 71, endsAt: 'SIGTERM' })
    await world.hand.advance(minute + second)
    assert.deepEqual([jobs.signals, jobs.children.length], [['SIGTERM 70', 'SIGTERM 71'], 1])
    await world.hand.advance(2 * second)
    assert.deepEqual([jobs.signals, jobs.children.length], [['SIGTERM 70', 'SIGTERM 71', 'SIGKILL 70'], 2])
    assert.match(jobs.lines.join('\n'), /ending a process that a job left behind job=report pid=70 command=daemon/)
    const runs = jobs.children.map(({ spec }) => spec.env[runVariable])
    assert.ok(runs[0] && runs[0] === runs[1])
  })

  it('are killed within what is left of a stop', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    await jobs.service.operations.run('report', { waits: false })
    jobs.leftovers.push({ ...daemon, endsAt: 'SIGKILL' })
    const stopped = jobs.service.stop({ leftMs: () => 300, mode: 'graceful' })
    await world.hand.advance(400)
    await stopped
    assert.deepEqual(jobs.signals, ['SIGTERM 70', 'SIGKILL 70'])
    assert.deepEqual(await historyOf(jobs), ['request stopped'])
  })

  it('go on after a run that ended by itself', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    await jobs.service.operations.run('report', { waits: false })
    jobs.leftovers.push({ ...daemon, endsAt: 'SIGTERM' })
    jobs.children[0]?.exit({ kind: 'code', code: 0 })
    await world.hand.advance(second)
    assert.deepEqual([jobs.signals, await historyOf(jobs)], [[], ['request success']])
  })

  it('are ended by the next instance if this one was killed', async () => {
    const world = createWorld()
    const killed = await startInstance(world, [plan])
    await killed.service.operations.run('report', { waits: false })
    const next = await startInstance(world, [plan], { leftovers: [{ ...daemon, endsAt: 'SIGTERM' }] })
    assert.deepEqual([next.signals, await historyOf(next)], [['SIGTERM 70'], ['request lost']])
  })

  it('are found by their environment', t => {
    const run = randomUUID()
    const env = { ...process.env, [runVariable]: run }
    spawnSync('sh', ['-c', 'setsid sleep 60 & setsid sleep 60 &'], { env, stdio: 'ignore' })
    const found = findMarked(runVariable, run)
    t.after(() => {
      for (const one of found) signalDetached(one, 'SIGKILL')
    })
    assert.equal(found.length, 2)
    assert.deepEqual(findMarked(runVariable, randomUUID()), [])
  })
})
