import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemError } from '../../refusing-system.ts'
import { createWorld, historyOf, hour, minute, plan, second, startInstance } from './jobs-setup.ts'

const timeout = 5000
const success = { kind: 'code', code: 0 } as const

describe('programs/jobs', { timeout }, () => {
  it('runs a job when it is due, in a child of its name, and keeps the result', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    await world.hand.advance(59 * second)
    assert.equal(jobs.children.length, 0)
    await world.hand.advance(second)
    assert.deepEqual(
      jobs.alive().map(({ spec }) => spec.name),
      ['job:report'],
    )
    assert.deepEqual(
      jobs.service.status().map(({ state, runningSince, nextAt }) => [state, runningSince, nextAt]),
      [['running', '2026-12-01T03:15:00.000Z', '2026-12-01T04:15:00.000Z']],
    )
    await world.hand.advance(5 * second)
    jobs.children[0]?.exit(success)
    await world.hand.advance(0)
    const [run] = await jobs.service.operations.history('report')
    const { id: _id, ...kept } = run ?? assert.fail('no run')
    assert.deepEqual(kept, {
      job: 'report',
      timezone: 'UTC',
      owner: 'one',
      trigger: 'schedule',
      dueAt: '2026-12-01T03:15:00.000Z',
      startedAt: '2026-12-01T03:15:00.000Z',
      endedAt: '2026-12-01T03:15:05.000Z',
      durationMs: 5000,
      result: 'success',
      exit: 'exit code 0',
      exitCode: 0,
      attempts: 1,
      lastLines: [],
    })
    await world.hand.advance(hour)
    assert.equal(jobs.children.length, 2)
  })

  it('waits with one timer for all jobs, and with none without jobs', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan, { ...plan, name: 'other', schedule: '0 0 * * *' }])
    assert.equal(world.hand.waiting(), 1)
    await jobs.service.adopt({ jobs: [], areJobsOff: false })
    assert.equal(world.hand.waiting(), 0)
    await jobs.service.adopt({ jobs: [plan], areJobsOff: false })
    jobs.service.quiesce()
    assert.equal(world.hand.waiting(), 0)
  })

  it('skips a run while the last one goes on, unless it is queued or replaces that', async () => {
    const world = createWorld()
    const every = { ...plan, schedule: '* * * * *' }
    const jobs = await startInstance(world, [
      every,
      { ...every, name: 'queued', overlap: 'queue' },
      { ...every, name: 'replaced', overlap: 'replace' },
    ])
    const of = (name: string) => jobs.children.filter(({ spec }) => spec.name === `job:${name}`)
    await world.hand.advance(3 * minute)
    assert.deepEqual([of('report').length, of('queued').length, of('replaced').length], [1, 1, 3])
    assert.deepEqual(
      of('replaced').map(({ signals }) => signals.length),
      [1, 1, 0],
    )
    assert.deepEqual(await historyOf(jobs, 'replaced'), [
      'schedule replaced',
      'schedule replaced',
      'schedule undefined',
    ])
    assert.equal(jobs.service.status()[0]?.skipped, 2)
    for (const name of ['report', 'queued']) of(name)[0]?.exit(success)
    await world.hand.advance(second)
    // one follows at once; the third was skipped, because only one waits
    assert.deepEqual([of('report').length, of('queued').length], [1, 2])
    of('queued')[1]?.exit(success)
    await world.hand.advance(second)
    assert.equal(of('queued').length, 2)
  })

  it('tries a failed run again with backoff, and then counts one failure', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, retries: 2, onFailure: 'exit' }])
    await world.hand.advance(minute)
    jobs.children[0]?.exit({ kind: 'code', code: 3 })
    await world.hand.advance(9 * second)
    assert.equal(jobs.children.length, 1)
    assert.equal(jobs.service.status()[0]?.state, 'retrying')
    await world.hand.advance(second)
    jobs.children[1]?.exit({ kind: 'code', code: 4 })
    await world.hand.advance(19 * second)
    assert.equal(jobs.children.length, 2)
    await world.hand.advance(second)
    assert.deepEqual(jobs.codes, [])
    jobs.children[2]?.exit({ kind: 'code', code: 5 })
    await world.hand.advance(minute)
    assert.equal(jobs.children.length, 3)
    assert.deepEqual(jobs.codes, [5])
    assert.deepEqual(await historyOf(jobs), ['schedule failure'])
    assert.equal(jobs.service.status()[0]?.last?.attempts, 3)
  })

  it('counts a command that cannot be started as a failure with code 126', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    jobs.refuse.spawn = systemError('EAGAIN', 'spawn report')
    await world.hand.advance(minute)
    const { last } = jobs.service.status()[0] ?? {}
    assert.deepEqual([last?.result, last?.exitCode], ['failure', 126])
    assert.match(last?.exit ?? '', /EAGAIN.*; raise/)
  })

  it('ends the whole process group at its timeout', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, timeoutMs: 10 * second }])
    await world.hand.advance(minute)
    jobs.children[0]?.ignore('SIGTERM')
    await world.hand.advance(10 * second)
    assert.deepEqual(jobs.children[0]?.signals, ['SIGTERM'])
    await world.hand.advance(8 * second)
    assert.deepEqual(jobs.children[0]?.signals, ['SIGTERM', 'SIGKILL'])
    assert.deepEqual(await historyOf(jobs), ['schedule timeout'])
    assert.match(jobs.lines.join(''), /job failed job=report exit="timeout of 10s, signal SIGKILL"/)
  })

  it('delays a run by its jitter, and cancels that in a stop', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, jitterMs: minute }], { random: 0.5 })
    await world.hand.advance(minute + 29 * second)
    assert.equal(jobs.children.length, 0)
    await world.hand.advance(second)
    assert.equal(jobs.children.length, 1)
    jobs.children[0]?.exit(success)
    await world.hand.advance(59 * minute + 40 * second)
    jobs.service.quiesce()
    await world.hand.advance(hour)
    assert.equal(jobs.children.length, 1)
    assert.equal(world.hand.waiting(), 0)
  })

  it('runs on start if it is asked to, once, and not on a reload', async () => {
    const world = createWorld()
    const onStart = { ...plan, runsOnStart: true }
    const jobs = await startInstance(world, [onStart])
    await world.hand.advance(second)
    assert.equal(jobs.children.length, 1)
    jobs.children[0]?.exit(success)
    await jobs.service.adopt({ jobs: [onStart, { ...onStart, name: 'added' }], areJobsOff: false })
    await world.hand.advance(second)
    assert.equal(jobs.children.length, 1)
    assert.deepEqual(await historyOf(jobs), ['start success'])
  })

  it('pings after a success and after a failure, but not after a stop', async () => {
    const world = createWorld()
    const ping = { success: 'https://ping.test/good', failure: 'https://ping.test/bad' }
    const jobs = await startInstance(world, [{ ...plan, schedule: '* * * * *', ping }])
    for (const code of [0, 1]) {
      await world.hand.advance(minute)
      jobs.children.at(-1)?.exit({ kind: 'code', code })
    }
    await world.hand.advance(minute)
    await jobs.service.stop({ mode: 'graceful', leftMs: () => 1000 })
    assert.deepEqual(jobs.pings, [ping.success, ping.failure])
  })

  it('sends TERM in a stop, and KILL when no time is left, and records both', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan, { ...plan, name: 'stubborn' }])
    await world.hand.advance(minute)
    jobs.children[1]?.ignore('SIGTERM')
    jobs.service.quiesce()
    const stopped = jobs.service.stop({ mode: 'graceful', leftMs: () => 5 * second })
    await world.hand.advance(5 * second)
    await stopped
    assert.deepEqual(
      jobs.children.map(({ signals }) => signals),
      [['SIGTERM'], ['SIGTERM', 'SIGKILL']],
    )
    for (const name of ['report', 'stubborn'])
      assert.deepEqual(
        world.store.states.get(name)?.runs.map(({ result }) => result),
        ['stopped'],
      )
  })

  it('keeps a run through a reload, with other keys too, and after the job is gone', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    await world.hand.advance(minute)
    await jobs.service.adopt({ jobs: [{ ...plan, argv: ['other'], schedule: '0 0 * * *' }], areJobsOff: false })
    assert.deepEqual(jobs.service.status()[0]?.state, 'running')
    assert.equal(jobs.service.status()[0]?.nextAt, '2026-12-02T00:00:00.000Z')
    await jobs.service.adopt({ jobs: [], areJobsOff: false })
    assert.deepEqual(jobs.service.status()[0]?.state, 'removed')
    assert.deepEqual(jobs.children[0]?.signals, [])
    jobs.children[0]?.exit(success)
    await world.hand.advance(2 * hour)
    assert.deepEqual(jobs.service.status(), [])
    assert.deepEqual(
      world.store.states.get('report')?.runs.map(({ result }) => result),
      ['success'],
    )
  })

  it('runs with a full disk, and says so', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    world.store.refuse = systemError('ENOSPC', 'write')
    for (let run = 0; run < 2; run++) {
      await world.hand.advance(hour)
      jobs.children[run]?.exit(success)
    }
    await world.hand.advance(second)
    assert.equal(jobs.service.status()[0]?.last?.result, 'success')
    assert.equal(jobs.lines.filter(line => /cannot record the runs of a job.*ENOSPC.*free space/.test(line)).length, 1)
    assert.match(jobs.service.warnings()[0] ?? '', /the runs of the job report cannot be recorded: ENOSPC/)
    world.store.refuse = undefined
    await world.hand.advance(hour)
    assert.deepEqual(jobs.service.warnings(), [])
  })
})
