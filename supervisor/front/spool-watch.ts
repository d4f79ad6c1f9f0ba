import type { Runtime } from '../base/runtime.ts'
import { minFreeBytes, type SpoolMedium } from './spool.ts'

const everyMs = 5000

/** Dependencies of `openSpoolWatch`. */
export interface SpoolWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  medium(): SpoolMedium
  /** Free bytes of the medium; undefined if unknown. */
  free(directory: string): number | undefined
  onChange(): void
}

/** Part of nginx's model. */
export interface SpoolModel {
  /** Whether the medium of temporary files has too little free space. */
  isSpoolShort: boolean
}

/** Watch of the free space for nginx's temporary files. While it is short, nginx stores nothing, so that the medium never fills up. */
export function openSpoolWatch({ clock, log, medium, free, onChange }: SpoolWatchDeps) {
  let isShort = isShortNow()
  let cancel = clock.after(everyMs, check)

  /** Whether space is short now. It must double before it counts as enough again. */
  function isShortNow(wasShort = false): boolean {
    const { directory, bytes } = medium()
    const found = free(directory)
    return found !== undefined && found < minFreeBytes({ bytes }) * (wasShort ? 2 : 1)
  }

  function check(): void {
    cancel = clock.after(everyMs, check)
    const now = isShortNow(isShort)
    if (now === isShort) return
    isShort = now
    const { directory } = medium()
    if (now)
      log.warn(
        'nginx stores no request bodies and no responses: the file system of its temporary files is nearly full',
        {
          directory,
          fix: 'free space there, or set temp_dir to another disk',
        },
      )
    else log.info('nginx stores request bodies and responses again', { directory })
    onChange()
  }

  return {
    name: 'temporary files',
    model: (): SpoolModel => ({ isSpoolShort: isShort }),
    quiesce: () => cancel(),
    close: () => cancel(),
  }
}
