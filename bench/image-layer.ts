import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from './message.ts'

/** Directory on an overlay, like the files of an image in a container. */
export interface ImageLayer {
  /** Path of the files while it is mounted. */
  path: string
  /** Mounts it; returns the reason if that fails. */
  mount(): string | undefined
  unmount(): void
}

/** Image layer in a new directory `image` of the workspace, with these files by name. */
export function createImageLayer(dir: string, files: Record<string, string>): ImageLayer {
  const at = (name: string) => join(dir, 'image', name)
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(at('lower'), name), text)
  let isMounted = false
  return {
    path: at('merged'),
    mount() {
      const layers = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`
      try {
        execFileSync('mount', ['-t', 'overlay', 'monohull-bench', '-o', layers, at('merged')], { stdio: 'pipe' })
        isMounted = true
        return undefined
      } catch (error) {
        return messageOf(error)
      }
    },
    unmount() {
      // remaining processes may have files open
      if (isMounted) execFileSync('umount', ['--lazy', at('merged')])
      isMounted = false
    },
  }
}
