import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import { runInit } from '../../../supervisor/programs/init-run.ts'
import type { ProcessPlan } from '../../../supervisor/programs/plan.ts'
import { createProcessPool } from '../../../supervisor/programs/process-pool.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem, systemError } from '../refusing-system.ts'

const timeout = 5000
const plan: ProcessPlan = {
  name: 'queue',
  argv: ['consumer'],
  directory: '/',
  uid: undefined,
  gid: undefined,
  env: () => ({}),
  count: 2,
  watchesItself: false,
  gracefulTimeoutMs: 1000,
  minUptimeMs: 0,
  backoff: { initialMs: 100, maxMs: 1000 },
}
const next: ProcessPlan = { ...plan, argv: ['next'] }

async function setUp() {
  const system = createRefusingSystem()
  const { clock, advance } = createHandClock()
  const lines: string[] = []
  const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) })
  const runtime = { clock, log, random: () => 0, spawn: system.spawn }
  const oomWatch = createOomWatch({ oomKills: () => 0, limit: () => undefined })
  const pool = createProcessPool({ ...runtime, oomWatch, onDeath: () => false }, plan)
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
