import { readFileSync, rmSync } from 'node:fs'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import { type HstsProgress, readProgress } from '../stages.ts'

/** Storage for the progress of HSTS. If the file cannot be written, HSTS begins again at each restart. */
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
        log.warn('cannot store the HSTS stage: it begins again at the next restart', {
          file: path,
          error: messageOf(error),
        })
      }
    },
  }
}
