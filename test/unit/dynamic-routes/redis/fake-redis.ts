import assert from 'node:assert/strict'
import type { Clock } from '../../../../supervisor/base/clock.ts'
import type { LinkEvents, OpenLink } from '../../../../supervisor/shared-state/redis/link.ts'

type Value = string | readonly string[]

/** A clock that stands still until it is moved. */
export function createManualClock() {
  const timers = new Set<{ at: number; callback: () => void }>()
  let now = 1_000_000
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  /** Lets time pass, timer by timer, and what they cause happen. */
  async function pass(ms: number): Promise<void> {
    const end = now + ms
    await settle()
    for (;;) {
      const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers.delete(next)
      now = Math.max(now, next.at)
      next.callback()
      await settle()
    }
    now = end
    await settle()
  }
  return { clock, pass }
}

/** Settles after everything that only waits for promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

/** Redis as far as the store uses it, with tracking of every key. */
export function createFakeRedis(clock: Clock) {
  const data = new Map<string, { value: Value; expiresAtMs: number | undefined }>()
  const state = { isUp: true, runId: 'a' }
  let link: LinkEvents | undefined

  function present(key: string) {
    const entry = data.get(key)
    // as in Redis, an expired key is only reported when somebody reads it
    if (entry?.expiresAtMs !== undefined && entry.expiresAtMs <= clock.now()) del(key)
    return data.get(key)
  }

  function del(key: string): void {
    if (data.delete(key)) link?.onChange(key)
  }

  const wrongType = () => new Error('WRONGTYPE Operation against a key holding the wrong kind of value')
  const commands: Record<string, (words: readonly string[]) => unknown> = {
    PING: () => 'PONG',
    DEL: ([key = '']) => del(key),
    TYPE: ([key = '']) => (present(key) ? 'string' : 'none'),
    INFO: () => `run_id:${state.runId}`,
    DBSIZE: () => data.size,
    GETRANGE([key = '', start, end]) {
      const value = present(key)?.value ?? ''
      if (typeof value !== 'string') throw wrongType()
      return value.slice(Number(start), Number(end) + 1)
    },
    PTTL([key = '']) {
      const entry = present(key)
      if (!entry) return -2
      return entry.expiresAtMs === undefined ? -1 : entry.expiresAtMs - clock.now()
    },
    LRANGE([key = '']) {
      const value = present(key)?.value ?? []
      if (typeof value === 'string') throw wrongType()
      return value
    },
    MEMORY: () => 100,
    EXISTS: keys => keys.filter(present).length,
    MGET: keys =>
      keys.map(key => {
        const value = present(key)?.value
        return typeof value === 'string' ? value : null
      }),
    SCAN: ([, , pattern = '']) => ['0', [...data.keys()].filter(key => key.startsWith(pattern.replace(/\\?\*$/, '')))],
  }

  const open: OpenLink = async events => {
    if (!state.isUp) throw new Error('connect ECONNREFUSED')
    link = events
    return {
      channel: 'tracking',
      runId: state.runId,
      async call([name = '', ...words]) {
        if (link !== events || !state.isUp) throw new Error('Socket closed unexpectedly')
        return (commands[name] ?? assert.fail(name))(words)
      },
      async check() {
        if (link !== events || !state.isUp) throw new Error('Socket closed unexpectedly')
      },
      close() {
        if (link === events) link = undefined
      },
    }
  }

  return {
    open,
    set(key: string, value: Value, ttlMs?: number) {
      data.set(key, { value, expiresAtMs: ttlMs === undefined ? undefined : clock.now() + ttlMs })
      link?.onChange(key)
    },
    del,
    flush() {
      data.clear()
      link?.onChange(undefined)
    },
    /** The connection ends; until `restore`, none is accepted, and no change is reported. */
    lose() {
      state.isUp = false
      const lost = link
      link = undefined
      lost?.onLost('Socket closed unexpectedly')
    },
    restore() {
      state.isUp = true
    },
    /** Ends, and is back without data. */
    restart() {
      data.clear()
      state.runId += 'a'
      const lost = link
      link = undefined
      lost?.onLost('Socket closed unexpectedly')
    },
  }
}
