import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withFileLock } from '../../../base/adapters/file-lock.ts'
import { createPrivately } from '../../../base/adapters/private-file.ts'
import type { Clock } from '../../../base/clock.ts'
import { errnoOf } from '../../../base/errors.ts'
import { type JobState, readState } from '../record.ts'
import type { JobStore } from '../store.ts'

/** States of jobs in `directory`, a file for each. Several instances may use it, in other containers too. */
export function openJobStore(directory: string, clock: Clock): JobStore {
  const pathOf = (name: string) => join(directory, `${name}.json`)

  // in this thread: the memory of others for a thousand reads would stay
  async function read(name: string): Promise<JobState | undefined> {
    try {
      return readState(readFileSync(pathOf(name), 'utf8'))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  return {
    read,
    create: (name, state) => createPrivately(pathOf(name), `${JSON.stringify(state)}\n`),
    update: (name, change) =>
      withFileLock(join(directory, `${name}.lock`), clock, async () => {
        const next = change(await read(name))
        if (!next) return
        // only the owner of the lock writes it
        const staged = `${pathOf(name)}.next`
        await mkdir(directory, { recursive: true, mode: 0o700 })
        try {
          await writeFile(staged, `${JSON.stringify(next)}\n`, { mode: 0o600, flush: true })
          await rename(staged, pathOf(name))
        } catch (error) {
          await rm(staged, { force: true }).catch(() => {}) // the error that led here is the one to report
          throw error
        }
      }),
  }
}
