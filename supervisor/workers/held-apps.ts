import type { Log } from '../base/log.ts'
import type { Death } from '../processes/death.ts'
import type { StartOrder } from '../processes/start-order.ts'
import type { AppChange } from './app-change.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerPool } from './pool.ts'
import type { BootResult } from './pool-boot.ts'

/** Dependencies of the held apps. */
export interface HeldAppsDeps {
  log: Log
  order: StartOrder
  pools: ReadonlyMap<string, WorkerPool>
  /** Programs that an app comes after, under the settings in force. */
  after(app: string): readonly string[]
  /** Called when every worker of an app that started late has failed at its first start. */
  onBootFailure(death: Death): void
}

/** Apps whose workers wait until the programs that they come after are ready. Their sockets exist, so requests wait too. */
export interface HeldApps {
  isHeld(app: string): boolean
  /** Starts a pool, as `WorkerPool.start` does, at once or when its turn comes. Resolves early if it cannot come for now. */
  start(pool: WorkerPool, atOnce: number | undefined): Promise<BootResult>
  /** Change of a held app: its workers start with this plan. */
  change(plan: WorkerPlan): AppChange
  /** A change whose trial waits until each of `after` is ready or has failed. */
  inTurn(change: AppChange, app: string, after: readonly string[]): AppChange
  /** Starts no app any more. What waits for one is refused, so that it does not delay a stop. */
  end(): void
}

/** No app is held yet. */
export function createHeldApps({ log, order, pools, after, onBootFailure }: HeldAppsDeps): HeldApps {
  const ends = new Set<() => void>()
  /** Plans from reloads that came while an app was held. */
  const plans = new Map<string, WorkerPlan>()
  const isHeld = (app: string) => order.waitsFor(app) !== undefined

  /** Starts the workers of a pool that was held. */
  async function begin(app: string): Promise<void> {
    const pool = pools.get(app)
    const plan = plans.get(app)
    plans.delete(app)
    if (!plan) {
      pool?.startOthers()
      return
    }
    const result = await pool?.roll(plan)
    if (result?.ok === false) log.error('app does not start', { app, reason: result.reason })
  }

  function startHeld(pool: WorkerPool): Promise<BootResult> {
    const { app } = pool.plan()
    const names = () => after(app)
    const boot = pool.start(0)
    ends.add(order.hold(app, names, () => void begin(app)))
    log.info('app waits', { app, for: order.waitsFor(app)?.join(',') })
    let isLate = false
    const stuck = order.settled(names()).then(() => {
      if (!isHeld(app)) return boot
      isLate = true
      return { ok: true } as const
    })
    void boot.then(result => {
      if (!result.ok && result.death && isLate) onBootFailure(result.death)
    })
    return Promise.race([boot, stuck])
  }

  return {
    isHeld,
    start(pool, atOnce) {
      const { app } = pool.plan()
      const booted = order.missing(after(app)).length === 0 ? pool.start(atOnce) : startHeld(pool)
      void booted.then(result => {
        if (!result.ok) order.report(app, 'failed')
      })
      return booted
    },
    change(plan) {
      const { app } = plan
      const before = plans.get(app)
      return {
        async apply() {
          plans.set(app, plan)
          // its turn has come since
          if (!isHeld(app)) await begin(app)
          return { ok: true }
        },
        async revert() {
          if (before) plans.set(app, before)
          else plans.delete(app)
        },
      }
    },
    inTurn(change, app, names) {
      if (names.length === 0) return change
      const isNew = !pools.has(app)
      return {
        ...change,
        async try() {
          await order.settled(names)
          const result = (await change.try?.()) ?? { ok: true }
          if (result.ok || !isNew) return result
          // those that come after it wait no longer
          order.report(app, 'failed')
          order.forget(app)
          return result
        },
      }
    },
    end() {
      const held = [...pools].filter(([app]) => isHeld(app))
      for (const end of ends) end()
      for (const [, pool] of held) void pool.stop(0)
    },
  }
}
