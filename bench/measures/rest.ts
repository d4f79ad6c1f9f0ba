import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { untilWorkers } from '../faults/under-load.ts'
import { describeMedian } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { withFile, withJobs } from '../stacks/monohull.ts'
import { origins, type Running, type Stack, type StartOptions, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { judgeTarget } from '../target.ts'

/** Pause after startup, in which peers check whether their programs live on. */
const settleMs = 15_000
/** The supervisor of Monohull has ticks of 10 s, and looks at some things once a minute. */
const restSeconds = 60
/** Time that the figures are for. */
const shownSeconds = 20

interface Side {
  name: string
  stack: Stack
  options: StartOptions
  /** Most CPU time, in ms. */
  atMost?: number
}

/** CPU time of supervisors while there is no request. */
export const rest: Measure = {
  name: 'rest',
  title: `CPU time of the supervisor at rest, in ms per ${shownSeconds} s`,
  async run(bench) {
    const sides = listSides(bench)
    const samples = sides.map((): number[] => [])
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`rest: round ${round} of ${bench.rounds}`)
      const all: Running[] = []
      try {
        for (const { stack, options } of sides) {
          const running = await stack.start(options)
          all.push(running)
          await untilServing(running, `${origins(running).http}/`)
          if (options.workers !== undefined) await untilWorkers(running, options.workers)
        }
        await pause(settleMs)
        const before = all.map(cpuOf)
        await pause(restSeconds * 1000)
        for (const [index, after] of all.map(cpuOf).entries())
          samples[index]?.push(((after - (before[index] ?? 0)) * shownSeconds) / restSeconds)
      } finally {
        await Promise.all(all.map(running => running.stop()))
      }
    }
    const rows = sides.map(({ name, atMost }, index) => {
      const taken = samples[index] ?? []
      const target = atMost === undefined ? '' : judgeTarget(taken, { atMost, unit: ' ms', digits: 0 })
      return [name, describeMedian(taken, 1), target]
    })
    return markdownTable(['supervisor', 'CPU, ms', 'target'], rows)
  },
}

function listSides({ workspace, builds, peers, appPeers, limits: { wide } }: Bench): Side[] {
  const certificates = dirname(workspace.certificate)
  const ours = builds.flatMap(build => [build, withFile(build), withJobs(build, 1000)])
  return [
    ...ours.map(stack => ({ name: stack.name, stack, options: { certificates }, atMost: 4 })),
    ...ours.map(stack => ({
      name: `${stack.name}, ${wide} workers`,
      stack,
      options: { certificates, workers: wide },
      atMost: 20,
    })),
    ...[...peers, ...appPeers]
      .filter(stack => !builds.includes(stack))
      .map(stack => ({ name: stack.name, stack, options: {} })),
  ]
}

function cpuOf({ supervisorPids }: Running): number {
  return supervisorPids().reduce((sum, pid) => sum + readFigures(pid).cpuMs, 0)
}
