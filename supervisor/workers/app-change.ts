import { type Change, expectReverted } from '../base/change.ts'
import { stopping } from '../base/roll-result.ts'
import { describeExit } from '../processes/exit.ts'
import { keepScale } from './autoscaling/autoscaling.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerPool } from './pool.ts'
import type { BootResult } from './pool-boot.ts'
import type { OpenRoll } from './roll.ts'

/** Time that the first ready worker waits for the others before nginx is reloaded. */
export const siblingsMs = 100

/** Part of a change that concerns one app. */
export type AppChange = Pick<Change, 'try' | 'apply' | 'revert'>

/** Change of a running app to a plan: replaces its workers once the first of them have been on trial. */
export function changeApp(pool: WorkerPool, plan: WorkerPlan): AppChange {
  const previous = pool.plan()
  return rollApp(
    () => pool.tryOut(keepScale(plan, previous.count)),
    async () => expectReverted(plan.app, await pool.roll(previous)),
  )
}

/** The same for a restart, after which there is nothing to return to. */
export function restartApp(pool: WorkerPool): AppChange {
  return rollApp(
    () => pool.tryOut(),
    async () => {},
  )
}

function rollApp(tryOut: () => Promise<OpenRoll>, rollBack: () => Promise<void>): AppChange {
  let roll: OpenRoll | undefined
  return {
    async try() {
      roll = await tryOut()
      return roll.tried
    },
    async apply() {
      const open = roll
      roll = undefined
      return (await open?.finish()) ?? { ok: true }
    },
    async revert() {
      if (roll) await roll.abandon()
      else await rollBack()
      roll = undefined
    },
  }
}

/** The pools of a run, for a new app. */
export interface AppAdditionDeps {
  pools: Map<string, WorkerPool>
  createPool(plan: WorkerPlan): WorkerPool
  isStopping(): boolean
}

/** Change that starts a new app. No request reaches it before nginx has the new settings. */
export function addApp({ pools, createPool, isStopping }: AppAdditionDeps, plan: WorkerPlan): AppChange {
  const pool = createPool(plan)
  async function revert(): Promise<void> {
    await pool.stop(plan.gracefulTimeoutMs)
    pools.delete(plan.app)
  }
  return {
    revert,
    async try() {
      if (isStopping()) return stopping
      pools.set(plan.app, pool)
      const result = await startOrRevert(pool, revert)
      if (result.ok) {
        await pool.settled(siblingsMs)
        return result
      }
      await revert()
      if (!result.death) return stopping
      const { worker, exit, lastLines } = result.death
      return { ok: false, reason: `${worker}: it ended with ${describeExit(exit)} before it was ready`, lastLines }
    },
  }
}

async function startOrRevert(pool: WorkerPool, revert: () => Promise<void>): Promise<BootResult> {
  try {
    return await pool.start()
  } catch (error) {
    await revert()
    throw error
  }
}
