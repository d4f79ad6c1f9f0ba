import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Removes a run directory. Its record is released last: until then, no other instance claims the directory. */
export function removeRunDir(runDir: string, release: () => void): void {
  for (const name of readdirSync(runDir))
    if (name !== 'instance.json') rmSync(join(runDir, name), { recursive: true, force: true })
  release()
  try {
    rmdirSync(runDir)
  } catch {
    // another instance has claimed it
  }
}
