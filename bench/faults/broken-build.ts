import { copyFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import type { Fault } from './fault.ts'
import { underLoad } from './under-load.ts'

/** Rollout of a build that crashes at boot: the old workers must stay, and a good build must start after it. */
export const brokenBuild: Fault = {
  name: 'broken-build',
  title: 'a build that crashes at boot, rolled out and abandoned',
  needs: 'roll',
  asksWorkersToEnd: true,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      async act({ running, outcome }) {
        const { entryPath } = running
        const kept = `${entryPath}.kept`
        const before = running.workerPids()
        copyFileSync(entryPath, kept)
        copyFileSync(join(dirname(entryPath), `crashing${extname(entryPath)}`), entryPath)
        const broken = await running.control?.rollOut()
        const now = running.workerPids()
        const left = before.filter(pid => now.includes(pid)).length
        outcome.notes.push(`${left} of ${before.length} old workers stayed`)
        if (broken?.isDone) outcome.problems.push('the broken build counts as rolled out')
        if (left < before.length) outcome.problems.push('old workers ended')
        copyFileSync(kept, entryPath)
        const good = await running.control?.rollOut()
        if (!good?.isDone) outcome.problems.push('a good build could not be rolled out afterwards')
      },
    }),
}
