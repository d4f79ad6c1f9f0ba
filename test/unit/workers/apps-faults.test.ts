import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { applyAll } from '../../../supervisor/base/change.ts'
import { createLog } from '../../../supervisor/base/log.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import { createStartOrder } from '../../../supervisor/processes/start-order.ts'
import { workerMachine } from '../../../supervisor/workers/adapters/machine.ts'
import { type AppsSettings, createApps } from '../../../supervisor/workers/apps.ts'
import type { WorkerPlan } from '../../../supervisor/workers/plan.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem, systemError } from '../refusing-system.ts'
import { appPlan } from './faulty-pool.ts'

const onePlan: WorkerPlan = { ...appPlan, app: 'web', count: 1, minUptimeMs: 0 }

/** Apps in a run_dir of their own, on a system that may refuse to start workers. */
function setUp(t: TestContext, names: readonly string[] = ['web']) {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-apps-'))
  const system = createRefusingSystem()
  const { clock, advance } = createHandClock()
  const settingsOf = (plans: readonly WorkerPlan[], runDir = folder) =>
    ({
      apps: plans.map(plan => ({ name: plan.app, plan, config: { listen: plan.listen, balance: 'least_conn' } })),
      config: { run_dir: runDir, apps: {}, routes: [], dynamic_routes: {} },
      nginxUser: undefined,
    }) as unknown as AppsSettings
  const inForce = { settings: settingsOf(names.map(app => ({ ...onePlan, app }))) }
  const apps = createApps({
    clock,
    machine: workerMachine,
    log: createLog({ format: 'text', level: 'error', now: () => 0, write() {} }),
    random: () => 0,
    spawn: system.spawn,
    probe: { responds: async () => true, respondsToGet: async () => true },
    settings: () => inForce.settings,
    oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
    inFlight: { of: async () => [] },
    failedTries: { exited: () => ({ refused: async () => [] }) },
    onRotation: async () => {},
    onWorkerEvent() {},
    order: createStartOrder(),
    onBootFailure() {},
    failures: () => () => false,
  })
  t.after(async () => {
    const stopped = apps.stop({ mode: 'quick', leftMs: () => 0 })
    await advance(2000)
    await stopped
    rmSync(folder, { recursive: true, force: true })
  })
  async function ready(): Promise<void> {
    await advance(0)
    for (const child of system.alive()) child.notify('READY', '1')
    await advance(0)
  }
  return { apps, system, folder, settingsOf, ready, advance }
}

describe('a reload of the apps', { timeout: 5000 }, () => {
  it('leaves no app behind whose sockets cannot be made', async t => {
    const { apps, settingsOf, folder, ready } = setUp(t)
    const started = apps.start()
    await ready()
    await started
    const gone = { ...onePlan, app: 'next' }
    rmSync(folder, { recursive: true, force: true })
    const change = await apps.prepare(settingsOf([gone]))
    await assert.rejects(async () => change.try?.(), { code: 'ENOENT' })
    assert.deepEqual([...apps.pools.keys()], ['web'])
  })

  /** Two apps that serve, and a change of both whose second app fails on trial. */
  async function failSecond(t: TestContext, change: Partial<WorkerPlan>) {
    const world = setUp(t, ['web', 'api'])
    const { apps, settingsOf, ready, advance, system } = world
    const started = apps.start()
    await ready()
    await started
    const before = system.alive()
    const plans = ['web', 'api'].map(app => ({ ...onePlan, app, minUptimeMs: 500, ...change }))
    const applied = applyAll([await apps.prepare(settingsOf(plans))])
    await ready()
    await advance(300)
    const [first] = system.alive('web.1').slice(1)
    const sockets = system.alive('web.1').map(({ spec }) => spec.inherit[0])
    system.alive('api.1')[1]?.exit()
    await advance(1000)
    const result = await applied
    return { ...world, before, first, sockets, result }
  }

  for (const [what, change] of [
    ['the command', { argv: ['node', 'next.js'], argvFor: () => ['node', 'next.js'] }],
    ['the environment alone', { env: () => ({ NEXT: '1' }) }],
    ['to a port', { listen: 'port' }],
  ] as [string, Partial<WorkerPlan>][]) {
    it(`lets no request reach an app before all have been on trial, when it changes ${what}`, async t => {
      const { result, system, before, first, sockets } = await failSecond(t, change)
      assert.match(JSON.stringify(result), /api\.1: the new worker ended/)
      assert.ok(first, 'the first app has been on trial')
      assert.deepEqual([first.isAlive(), first.signals], [false, ['SIGTERM']])
      assert.notEqual(sockets[0], sockets[1])
      assert.deepEqual(system.alive(), before)
    })
  }

  it('replaces every app when all trials were good', async t => {
    const { apps, settingsOf, ready, advance, system } = setUp(t, ['web', 'api'])
    const started = apps.start()
    await ready()
    await started
    const before = system.alive()
    const plans = ['web', 'api', 'new'].map(app => ({ ...onePlan, app, count: 2, minUptimeMs: 100 }))
    const applied = applyAll([await apps.prepare(settingsOf(plans))])
    for (let turn = 0; turn < 12; turn++) {
      await ready()
      await advance(200)
    }
    assert.deepEqual(await applied, { ok: true })
    await advance(1000)
    assert.deepEqual(
      before.map(child => child.isAlive()),
      [false, false],
    )
    assert.deepEqual(
      system
        .alive()
        .map(({ spec }) => spec.name)
        .sort(),
      [...['api.1', 'api.2', 'new.1', 'new.2', 'web.1', 'web.2']],
    )
  })

  it('is over when the run stops while the first workers of a new app boot', async t => {
    const { apps, settingsOf, ready, advance } = setUp(t)
    const started = apps.start()
    await ready()
    await started
    const applied = applyAll([await apps.prepare(settingsOf([onePlan, { ...onePlan, app: 'new' }]))])
    await advance(0)
    apps.quiesce()
    void apps.stop({ mode: 'quick', leftMs: () => 100 })
    await advance(1000)
    assert.equal((await applied).ok, false)
  })

  it('says which app could not go back to what it ran before', async t => {
    const { apps, system, settingsOf, ready, advance } = setUp(t)
    const started = apps.start()
    await ready()
    await started
    const change = await apps.prepare(settingsOf([{ ...onePlan, argvFor: () => ['node', 'next.js'] }]))
    const applied = applyAll([change])
    await ready()
    await advance(1000)
    assert.deepEqual(await applied, { ok: true })
    system.refuse.spawn = systemError('EAGAIN', 'spawn node')
    const reverted = assert.rejects(async () => change.revert?.(), /^Error: web .*EAGAIN.*; raise/)
    await advance(0)
    await reverted
  })
})
