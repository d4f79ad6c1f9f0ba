import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { createSecret } from '../../../supervisor/base/secret.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import { runInit } from '../../../supervisor/programs/init-run.ts'
import type { ProcessPlan } from '../../../supervisor/programs/plan.ts'
import { createProcessPool } from '../../../supervisor/programs/process-pool.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem, systemError } from '../refusing-system.ts'

const timeout = 5000
/** Nothing is checked here. */
const probe = { connects: async () => undefined, respondsToGet: async () => undefined }
const plan: ProcessPlan = {
  name: 'queue',
  argv: ['consumer'],
  directory: '/',
  uid: undefined,
  gid: undefined,
  env: () => ({}),
  count: 2,
  watchesItself: false,
  stopSignal: 'SIGTERM',
  gracefulTimeoutMs: 1000,
  minUptimeMs: 0,
  backoff: { initialMs: 100, maxMs: 1000 },
  restart: 'always',
}
const next: ProcessPlan = { ...plan, argv: ['next'] }

async function setUp() {
  const system = createRefusingSystem()
  const { clock, advance } = createHandClock()
  const lines: string[] = []
  const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) })
  const runtime = { clock, log, random: () => 0, spawn: system.spawn }
  const oomWatch = createOomWatch({ oomKills: () => 0, limit: () => undefined })
  const pool = createProcessPool({ ...runtime, oomWatch, onDeath: () => false, probe, onProgress() {} }, plan)
  pool.start()
  await advance(1000)
  const programs = () => system.alive().map(({ spec }) => spec.argv[0])
  return { ...system, runtime, pool, lines, advance, programs }
}

describe('processes that the system does not start', { timeout }, () => {
  for (const code of ['EAGAIN', 'EMFILE'] as const) {
    it(`by ${code} are tried again with backoff after a death; the others go on`, async () => {
      const { pool, refuse, children, lines, advance, programs } = await setUp()
      refuse.spawn = systemError(code, 'spawn consumer')
      children[1]?.exit()
      await advance(10_000)
      assert.deepEqual(
        pool.status().map(({ state }) => state),
        ['running', 'waiting'],
      )
      const tries = lines.filter(line => new RegExp(`reason="${code}.*; raise`).test(line)).length
      assert.ok(tries > 5 && tries < 20, `${tries} tries in 10 s`)
      refuse.spawn = undefined
      await advance(2000)
      assert.deepEqual(programs(), ['consumer', 'consumer'])
    })

    it(`by ${code} fail a roll with the reason, and come back with the plan before`, async () => {
      const { pool, refuse, advance, programs } = await setUp()
      refuse.spawn = systemError(code, 'spawn next')
      const rolled = pool.roll(next)
      await advance(1000)
      assert.match(JSON.stringify(await rolled), new RegExp(`"ok":false,"reason":"queue\\.1: ${code}.*; raise`))
      assert.deepEqual([pool.plan(), programs()], [plan, ['consumer']])
      refuse.spawn = undefined
      await advance(2000)
      assert.deepEqual(programs(), ['consumer', 'consumer'])
    })
  }

  it('end with a stop, and are not started after it', async () => {
    const { pool, refuse, children, advance, alive } = await setUp()
    refuse.spawn = systemError('EAGAIN', 'spawn consumer')
    children[0]?.exit()
    await advance(500)
    const stopped = pool.stop(1000)
    await advance(1000)
    await stopped
    refuse.spawn = undefined
    await advance(60_000)
    assert.deepEqual(alive(), [])
  })
})

describe('an init command that the system does not start', { timeout }, () => {
  it('rejects with what the system said, and can be stopped', async () => {
    const { runtime, refuse } = await setUp()
    refuse.spawn = systemError('EAGAIN', 'spawn migrate')
    const init = runInit(runtime, [{ ...plan, env: {}, timeoutMs: 1000 }])
    await assert.rejects(init.done, { code: 'EAGAIN' })
    await init.stop(0)
  })
})

describe('a reload of processes', { timeout }, () => {
  it('leaves the same program alone, and applies what concerns monohull only', async () => {
    const { pool, children, programs } = await setUp()
    const same: ProcessPlan = { ...plan, argv: [...plan.argv], env: () => ({}), gracefulTimeoutMs: 5 }
    assert.deepEqual(await pool.change(same), { ok: true })
    assert.equal(pool.plan(), same)
    assert.deepEqual([children.length, programs()], [2, ['consumer', 'consumer']])
  })

  for (const [name, changed] of [
    ['command', { argv: ['next'] }],
    ['directory', { directory: '/tmp' }],
    ['user', { uid: 7 }],
    ['variables', { env: () => ({ A: '1' }) }],
    ['secret', { env: () => ({ A: createSecret('new') }) }],
    ['count', { count: 3 }],
  ] as [string, Partial<ProcessPlan>][]) {
    it(`replaces processes whose ${name} changed`, async () => {
      const { pool, children, advance } = await setUp()
      const former: ProcessPlan = { ...plan, env: () => (name === 'secret' ? { A: createSecret('old') } : {}) }
      const adopted = pool.change(former)
      await advance(10_000)
      await adopted
      const before = children.length
      const result = pool.change({ ...former, ...changed })
      await advance(10_000)
      assert.deepEqual([(await result).ok, children.length > before], [true, true])
    })
  }

  it('goes on when a process was down before and stays so, but not when it was up', async () => {
    const { pool, refuse, children, lines, advance } = await setUp()
    refuse.spawn = systemError('EAGAIN', 'spawn consumer')
    for (const child of children) child.exit()
    await advance(1000)
    const changed = pool.change(next)
    await advance(1000)
    assert.deepEqual(await changed, { ok: true })
    assert.equal(pool.plan(), next)
    assert.match(lines.join(''), /warn process was down before and does not run now process=queue\.1 reason=/)
    refuse.spawn = undefined
    await advance(10_000)
    assert.deepEqual(
      pool.status().map(({ state }) => state),
      ['running', 'running'],
    )
    refuse.spawn = systemError('EAGAIN', 'spawn consumer')
    const failed = pool.change(plan)
    await advance(1000)
    assert.equal((await failed).ok, false)
    assert.equal(pool.plan(), next)
  })
})

describe('restart', { timeout }, () => {
  const start = async (restart: ProcessPlan['restart']) => {
    const system = await setUp()
    const changed: ProcessPlan = { ...plan, count: 1, restart }
    const result = system.pool.change(changed)
    await system.advance(10_000)
    assert.ok((await result).ok)
    return { ...system, last: () => system.children.at(-1) }
  }
  const stateOf = ({ pool }: Awaited<ReturnType<typeof start>>) => pool.status().map(({ state }) => state)

  it('always starts a process again after exit code 0', async () => {
    const system = await start('always')
    system.last()?.exit({ kind: 'code', code: 0 })
    await system.advance(10_000)
    assert.deepEqual([stateOf(system), system.programs()], [['running'], ['consumer']])
  })

  it('on_failure leaves it after exit code 0, and a command starts it again', async () => {
    const system = await start('on_failure')
    system.last()?.exit({ kind: 'code', code: 0 })
    await system.advance(10_000)
    assert.deepEqual([stateOf(system), system.programs()], [['finished'], []])
    assert.match(system.lines.join(''), /info process finished process=queue\.1 .*exit="exit code 0"/)
    const restarted = system.pool.restart()
    await system.advance(1000)
    assert.ok((await restarted).ok)
    assert.deepEqual(stateOf(system), ['running'])
  })

  it('never leaves it after any end', async () => {
    const system = await start('never')
    system.last()?.exit({ kind: 'code', code: 3 })
    await system.advance(10_000)
    assert.deepEqual([stateOf(system), system.programs()], [['failed'], []])
    assert.match(system.lines.join(''), /error process died process=queue\.1 .*decision="not restarted"/)
  })
})
