import { brokenBuild } from './broken-build.ts'
import { killAll, killOne } from './crashes.ts'
import { termDuringBoot, termDuringRestart } from './ending.ts'
import type { Fault } from './fault.ts'
import { hang } from './hang.ts'
import { maxMemory, maxRequests } from './recycling.ts'
import { manyRestarts, rollingRestarts } from './restarts.ts'
import { scaling } from './scaling.ts'

/** All faults, in the order of the table. */
export const allFaults: readonly Fault[] = [
  rollingRestarts,
  maxRequests,
  maxMemory,
  scaling,
  killOne,
  hang,
  killAll,
  brokenBuild,
  termDuringBoot,
  termDuringRestart,
  manyRestarts,
]
