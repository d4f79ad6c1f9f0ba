import { readFileSync, rmSync } from 'node:fs'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import { type HstsProgress, readProgress } from '../stages.ts'

/** Keeps how far HSTS has come. A folder that cannot be written to means that it begins anew with each start. */
export function openHstsRecord(path: string, log: Log) {
  return {
    read(): HstsProgress | undefined {
      try {
        return readProgress(readFileSync(path, 'utf8'))
      } catch {
        return undefined // none yet
      }
    },
    write(progress: HstsProgress | undefined): void {
      try {
        if (progress) writePrivately(path, `${JSON.stringify(progress)}\n`)
        else rmSync(path, { force: true })
      } catch (error) {
        log.warn('the stage of HSTS is not kept, and begins anew with the next start', {
          file: path,
          error: messageOf(error),
        })
      }
    },
  }
}
