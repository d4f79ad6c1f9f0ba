import type { Measure } from '../bench.ts'
import { describeMedian, median, ratios } from '../median.ts'
import { withFile } from '../stacks/monohull.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

/** Time from the start of the program to the first 200 over HTTPS. */
export const boot: Measure = {
  name: 'boot',
  title: 'Boot to the first 200 over HTTPS, without a container',
  async run(bench) {
    const ours = [...bench.builds, ...bench.builds.map(withFile)]
    const stacks = [...new Set([...ours, bench.script, ...bench.peers, ...bench.appPeers])]
    const times = stacks.map((): number[] => [])
    const stages = ours.map((): Stages[] => [])
    // round 0 fills caches, monohull's compile cache and its local certificate included
    for (let round = 0; round <= bench.rounds * 2; round++) {
      bench.say(`boot: round ${round} of ${bench.rounds * 2}`)
      for (const [index, stack] of stacks.entries()) {
        const running = await stack.start()
        const startedAtMs = Date.now() - (performance.now() - running.startedAt)
        const time = await untilServing(running, `${origins(running).https}/`)
        await running.stop()
        if (round === 0) continue
        times[index]?.push(time)
        stages[ours.indexOf(stack)]?.push(readStages(running, startedAtMs))
      }
    }
    const base = times[stacks.indexOf(bench.script)] ?? []
    const rows = stacks.map((stack, index) => {
      const own = times[index] ?? []
      return [stack.name, describeMedian(own), stack === bench.script ? '1' : describeMedian(ratios(own, base), 2)]
    })
    const table = markdownTable(['', 'ms', 'ratio (target ≤ 1.15, with a file ≤ 1.30)'], rows)
    const logs = ours.map(({ name }, index) => `${name}: ${describeStages(stages[index] ?? [])}.`)
    return [table, 'Own log, ms after the start:', logs.join('\n')].join('\n\n')
  },
}

type Stages = Map<string, number>

/** Times of the first line of each kind, by monohull's own clock. */
function readStages(running: Running, startedAtMs: number): Stages {
  const stages: Stages = new Map()
  for (const line of running.log().split('\n')) {
    const [, time, text] = /^(\S+Z) monohull \w+ (starting|worker ready|serving)\b/.exec(line) ?? []
    if (time && text && !stages.has(text)) stages.set(text, Date.parse(time) - startedAtMs)
  }
  return stages
}

function describeStages(all: readonly Stages[]): string {
  const names = [...(all[0]?.keys() ?? [])]
  return names.map(name => `${name} ${Math.round(median(all.flatMap(stages => stages.get(name) ?? [])))}`).join(', ')
}
