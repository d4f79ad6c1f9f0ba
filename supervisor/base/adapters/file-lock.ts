import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { type Clock, pause } from '../clock.ts'
import { createPrivately } from './private-file.ts'

const retryMs = 20
/** Time after which a lock counts as left behind by a process that was killed, in ms. What it protects takes some milliseconds. */
const abandonedMs = 5000
const timeoutMs = 15_000

/**
 * Runs something while no other process holds the lock at `path`, not even one in another container. Only for what takes less than a
 * second. If the lock cannot be created, or never becomes free, it runs without it.
 */
export async function withFileLock<T>(path: string, clock: Clock, act: () => T | Promise<T>): Promise<T> {
  const release = await take(path, clock)
  try {
    return await act()
  } finally {
    release()
  }
}

async function take(path: string, clock: Clock): Promise<() => void> {
  const id = randomUUID()
  const start = clock.monotonic()
  let seen: { owner: string | undefined; since: number } = { owner: undefined, since: start }
  while (clock.monotonic() - start < timeoutMs) {
    try {
      if (createPrivately(path, id)) return () => removeOwned(path, id)
    } catch {
      break // a full or read-only directory is reported by what is written there
    }
    const owner = readOwner(path)
    if (owner !== seen.owner) seen = { owner, since: clock.monotonic() }
    else if (owner !== undefined && clock.monotonic() - seen.since > abandonedMs) removeOwned(path, owner)
    await pause(clock, retryMs)
  }
  return () => {}
}

/** Removes a file if it still names this owner. Another process may do the same, so what was moved is checked. */
export function removeOwned(path: string, owner: string): void {
  if (readOwner(path) !== owner) return
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
    if (readOwner(aside) === owner) rmSync(aside)
    else renameSync(aside, path)
  } catch {
    // another process was faster
  }
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // released meanwhile
  }
}
