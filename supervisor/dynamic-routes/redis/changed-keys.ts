import { type Clock, pause } from '../../base/clock.ts'

/** Keys that have changed, and must be read again. */
export interface ChangedKeys {
  add(keys: Iterable<string>): void
  close(): Promise<void>
}

/** Dependencies. */
export interface ChangedKeysDeps {
  clock: Clock
  /** Reads keys, and sends nginx what follows from them. */
  send(keys: readonly string[]): Promise<void>
  onFailure(error: unknown): void
}

const atOnce = 500
const retryMs = 500

/** Queue that sends one batch at a time, and each key once, however often it changes meanwhile. It tries again until it succeeds. */
export function createChangedKeys({ clock, send, onFailure }: ChangedKeysDeps): ChangedKeys {
  const waiting = new Set<string>()
  const closing = new AbortController()
  let running: Promise<void> | undefined

  async function drain(): Promise<void> {
    // what is reported in the same turn belongs to one batch
    await undefined
    while (waiting.size > 0 && !closing.signal.aborted) {
      const batch = takeSome()
      try {
        await send(batch)
      } catch (error) {
        for (const key of batch) waiting.add(key)
        onFailure(error)
        await pause(clock, retryMs, closing.signal).catch(() => {})
      }
    }
  }

  function takeSome(): string[] {
    const batch: string[] = []
    for (const key of waiting) {
      if (batch.length === atOnce) break
      batch.push(key)
      waiting.delete(key)
    }
    return batch
  }

  return {
    add(keys) {
      for (const key of keys) waiting.add(key)
      if (waiting.size === 0) return
      running ??= drain().finally(() => {
        running = undefined
      })
    },
    async close() {
      closing.abort()
      await running
    },
  }
}
