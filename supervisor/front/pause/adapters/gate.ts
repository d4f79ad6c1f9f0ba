import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { PauseGate } from '../pause.ts'

/** File that stops requests while it exists, until the time that it contains. */
export function openGate(path: string): PauseGate {
  return {
    path,
    close(until) {
      writeFileSync(`${path}.next`, `${until / 1000}\n`, { mode: 0o644 })
      renameSync(`${path}.next`, path)
    },
    open: () => rmSync(path, { force: true }),
  }
}
