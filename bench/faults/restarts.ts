import { parentOf, readFigures } from '../process-figures.ts'
import type { Running } from '../stacks/stack.ts'
import { workers } from '../workspace.ts'
import type { Fault, Outcome } from './fault.ts'
import { underLoad, untilWorkers } from './under-load.ts'

const fewRestarts = 20
/** Share of monohull's restarts that the peers make, because each takes them a second or more. */
const peerShare = 0.1
/** Pause between requests during the many restarts, which take minutes, so that the load leaves CPU time for them. */
const manyPauseMs = 20
const manySeconds = 7200
/** Share of the restarts in which V8's heap grows to its working size. After them the supervisor must not grow. */
const warmUpShare = 0.1
const rssGrowthAllowed = 1.15
/** Additional open files that are allowed: connections that a cluster's primary passes on are open in it for a moment. */
const openFilesAllowed = 8

/** Several rolling restarts, one after the other. */
export const rollingRestarts: Fault = {
  name: 'rolling-restarts',
  title: `${fewRestarts} rolling restarts`,
  needs: 'roll',
  asksWorkersToEnd: true,
  play: (side, amount) =>
    underLoad({ side, amount, act: ({ running, outcome }) => rollTimes({ running, outcome, times: fewRestarts }) }),
}

/** Many rolling restarts, and the resources that they leave behind in the supervisor. */
export const manyRestarts: Fault = {
  name: 'many-restarts',
  title: 'many rolling restarts in a row',
  needs: 'roll',
  asksWorkersToEnd: false,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      // with min_uptime for each new worker it would take two hours
      start: { trialSeconds: 0 },
      pauseMs: manyPauseMs,
      loadSeconds: manySeconds,
      async act({ running, outcome }) {
        const share = side.stack.name === 'monohull' ? 1 : peerShare
        const times = Math.max(2, Math.round(amount.restarts * share))
        const warmUp = Math.max(1, Math.round(times * warmUpShare))
        const start = await figuresAtRest(running, outcome)
        await rollTimes({ running, outcome, times: warmUp })
        const early = await figuresAtRest(running, outcome)
        await rollTimes({ running, outcome, times: times - warmUp })
        const end = await figuresAtRest(running, outcome)
        const path = (figure: (of: typeof start) => number) =>
          [start, early, end].map(figure).map(Math.round).join(' → ')
        outcome.notes.push(
          `supervisor before → after ${warmUp} → after ${times}: open fds ${path(of => of.openFiles)}, ` +
            `RSS ${path(of => of.rssMb)} MB, zombies ${path(of => of.zombies)}`,
        )
        if (end.openFiles > start.openFiles + openFilesAllowed) outcome.problems.push('open fds grew')
        if (end.rssMb > early.rssMb * rssGrowthAllowed) outcome.problems.push('RSS grew')
        if (end.zombies > 0) outcome.problems.push('zombies were left')
      },
    }),
}

interface RollOptions {
  running: Running
  outcome: Outcome
  times: number
}

async function rollTimes({ running, outcome, times }: RollOptions): Promise<void> {
  for (let count = 1; count <= times; count++) {
    const result = await running.control?.roll()
    if (result?.isDone) continue
    outcome.problems.push(`restart ${count} of ${times} failed: ${result?.detail.trim().split('\n').at(-1)}`)
    return
  }
}

/** Figures of the supervisor once the replaced workers have drained. */
async function figuresAtRest(running: Running, outcome: Outcome) {
  if (!(await untilWorkers(running, workers))) outcome.problems.push('replaced workers did not end')
  return readFigures(parentOf(running.workerPids()[0] ?? 0))
}
