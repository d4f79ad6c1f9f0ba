import { createSealing } from '../../../supervisor/shared-state/sealing.ts'
import type { HeldLock, SharedRecord, SharedState } from '../../../supervisor/shared-state/state.ts'

/** A shared state without Redis, for services that use one. It can be unavailable, and its locks can be taken away. */
export function createMemoryState() {
  const records = new Map<string, SharedRecord>()
  const locks = new Map<string, HeldLock>()
  const watchers = new Set<{ prefix: string; onChange: (name: string | undefined) => void }>()
  const world = { isDown: false, writes: 0 }
  let counter = 0

  async function expectUp(): Promise<void> {
    if (world.isDown) throw new Error('Redis is down')
  }

  function tell(name: string): void {
    for (const { prefix, onChange } of watchers) if (name.startsWith(prefix)) onChange(name)
  }

  const state: SharedState = {
    id: 'memory',
    problem: () => (world.isDown ? 'down' : undefined),
    now: () => 0,
    measureTime: expectUp,
    async read(name) {
      await expectUp()
      return records.get(name)
    },
    async write(name, value, { lock, version } = {}) {
      await expectUp()
      if (lock && locks.get(lock.name) !== lock) return { kind: 'lost' }
      if (version !== undefined && (records.get(name)?.version ?? 0) !== version) return { kind: 'conflict' }
      records.set(name, { value, version: ++counter })
      world.writes++
      tell(name)
      return { kind: 'written', version: counter }
    },
    async remove(name) {
      await expectUp()
      records.delete(name)
      tell(name)
      return { kind: 'written', version: 0 }
    },
    async acquire(name) {
      await expectUp()
      if (locks.has(name)) return undefined
      const losing = new AbortController()
      const lock: HeldLock = {
        ...{ name, token: ++counter, value: String(counter), signal: losing.signal },
        async release() {
          if (locks.get(name) === lock) locks.delete(name)
        },
      }
      locks.set(name, lock)
      return lock
    },
    async withLock(name, work) {
      const lock = await state.acquire(name)
      if (!lock) return { hadLock: false }
      try {
        return { hadLock: true, result: await work(lock) }
      } finally {
        await lock.release()
      }
    },
    watch(prefix, onChange) {
      const watcher = { prefix, onChange }
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    ...createSealing('s'.repeat(32)),
    members: async () => [],
    introduce() {},
  }
  return { state, world, locks }
}
