import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { errnoOf } from '../../../base/errors.ts'
import { maintenanceDirectory, switchName } from '../lines.ts'
import type { MaintenanceFiles } from '../maintenance.ts'

/** Files of maintenance: those that nginx reads are in `workDir`, and the state that survives a restart is in `stateDir`. */
export function maintenanceFiles({ workDir, stateDir }: { workDir: string; stateDir: string }): MaintenanceFiles {
  const directory = join(workDir, maintenanceDirectory)
  const record = join(stateDir, 'maintenance.json')
  /** nginx reads a whole file or the one before. */
  function write(name: string, text: string): void {
    const path = join(directory, name)
    writeFileSync(`${path}.next`, text, { mode: 0o644 })
    renameSync(`${path}.next`, path)
  }
  return {
    record,
    readRecord() {
      try {
        return readFileSync(record, 'utf8')
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    writeRecord(text) {
      if (text === undefined) rmSync(record, { force: true })
      else writePrivately(record, text)
    },
    writePages({ html, json }) {
      mkdirSync(directory, { recursive: true, mode: 0o755 })
      write('page.html', html)
      write('page.json', json)
    },
    close: letIn => write(switchName, letIn),
    open: () => rmSync(join(directory, switchName), { force: true }),
  }
}
