import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import { type AppsSettings, createApps } from '../../../supervisor/workers/apps.ts'
import type { WorkerPlan } from '../../../supervisor/workers/plan.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem, systemError } from '../refusing-system.ts'
import { appPlan } from './faulty-pool.ts'

const onePlan: WorkerPlan = { ...appPlan, app: 'web', count: 1, minUptimeMs: 0 }

/** Apps in a run_dir of their own, on a system that may refuse to start workers. */
function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-apps-'))
  const system = createRefusingSystem()
  const { clock, advance } = createHandClock()
  const settingsOf = (plans: readonly WorkerPlan[], runDir = folder) =>
    ({
      apps: plans.map(plan => ({ name: plan.app, plan })),
      config: { run_dir: runDir, apps: {}, routes: [], dynamic_routes: {} },
      nginxUser: undefined,
    }) as unknown as AppsSettings
  const inForce = { settings: settingsOf([onePlan]) }
  const apps = createApps({
    clock,
    log: createLog({ format: 'text', level: 'error', now: () => 0, write() {} }),
    random: () => 0,
    spawn: system.spawn,
    settings: () => inForce.settings,
    oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
    inFlight: { of: async () => [] },
    failedTries: { exited: () => ({ refused: async () => [] }) },
    onRotation: async () => {},
    onWorkerEvent() {},
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
    await assert.rejects(async () => change.apply?.(), { code: 'ENOENT' })
    assert.deepEqual([...apps.pools.keys()], ['web'])
  })

  it('says which app could not go back to what it ran before', async t => {
    const { apps, system, settingsOf, ready, advance } = setUp(t)
    const started = apps.start()
    await ready()
    await started
    const change = await apps.prepare(settingsOf([{ ...onePlan, argvFor: () => ['node', 'next.js'] }]))
    const applied = change.apply?.()
    await ready()
    await advance(1000)
    assert.deepEqual(await applied, { ok: true })
    system.refuse.spawn = systemError('EAGAIN', 'spawn node')
    const reverted = assert.rejects(async () => change.revert?.(), /^Error: web .*EAGAIN.*; raise/)
    await advance(0)
    await reverted
  })
})
