import { restTickMs, untilTick } from '../base/clock.ts'
import type { Runtime } from '../base/runtime.ts'
import { minFreeBytes, type SpoolMedium } from './spool.ts'

const everyMs = 5000
/** Multiple of the reserve from which a look on each tick is enough. */
const ample = 4

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
  let reserves = reservesNow()
  let isShort = reserves < 1
  let cancel = schedule()

  /** Free space as a multiple of the reserve; of any size if it is unknown. */
  function reservesNow(): number {
    const { directory, bytes } = medium()
    return (free(directory) ?? Number.POSITIVE_INFINITY) / minFreeBytes({ bytes })
  }

  function schedule(): () => void {
    return clock.after(untilTick(clock, reserves < ample ? everyMs : restTickMs), check)
  }

  function check(): void {
    reserves = reservesNow()
    cancel = schedule()
    // space must double before it counts as enough again
    const now = reserves < (isShort ? 2 : 1)
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
