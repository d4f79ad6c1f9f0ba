import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of a ConfigMap or Secret by name. */
export type Payload = Readonly<Record<string, string>>

/**
 * A directory as the kubelet mounts a ConfigMap or Secret, and a function that changes its files in the kubelet's order: a new directory named after the time, the link `..data_tmp`
 * renamed to `..data`, links for new files, removal of links without a file, removal of the former directory.
 */
export function kubeletVolume(directory: string): (payload: Payload) => void {
  mkdirSync(directory, { recursive: true })
  let count = 0
  let visible: readonly string[] = []
  return payload => {
    const former = linkOf(join(directory, '..data'))
    const next = `..${new Date().toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.${String(++count).padStart(9, '0')}`
    mkdirSync(join(directory, next), { mode: 0o755 })
    for (const [name, text] of Object.entries(payload))
      writeFileSync(join(directory, next, name), text, { mode: 0o640 })
    symlinkSync(next, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
    const names = Object.keys(payload)
    for (const name of names) if (!visible.includes(name)) symlinkSync(join('..data', name), join(directory, name))
    for (const name of visible) if (!names.includes(name)) rmSync(join(directory, name))
    visible = names
    if (former) rmSync(join(directory, former), { recursive: true })
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
