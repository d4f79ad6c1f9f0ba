import { setTimeout as pause } from 'node:timers/promises'
import type { Measure } from '../bench.ts'
import { describeMedian, median } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { getStatus, origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const config = 'https: off\napp: { command: [node, server.js], workers: { min: 0, max: 2, idle: 5s } }\n'
const deadlineMs = 30_000
const pollMs = 10
/** Time over which the supervisor's CPU is measured while the app sleeps. */
const restMs = 10_000

interface Wakeup {
  firstMs: number
  bootMs: number
  workersMb: number
}

/** First request to a sleeping app, and the memory that its sleep gives back. */
export const sleep: Measure = {
  name: 'sleep',
  title: 'An app with `workers: {min: 0}`: first request after sleep, and memory that sleep gives back',
  async run(bench) {
    const rows: string[][] = []
    for (const build of bench.builds) {
      const running = await build.start({ config })
      try {
        await untilServing(running, origins(running).http)
        rows.push([build.name, ...(await measure(running, bench.rounds * 2, text => bench.say(text)))])
      } finally {
        await running.stop()
      }
    }
    const head = [
      '',
      'first request, ms',
      'boot of its worker, ms',
      'difference (target ≤ 50)',
      'workers awake, MB RSS',
    ]
    return markdownTable([...head, 'asleep, MB', "supervisor's CPU asleep, % of a core"], rows)
  },
}

async function measure(running: Running, rounds: number, say: (text: string) => void): Promise<string[]> {
  const wakeups: Wakeup[] = []
  let asleepMb = 0
  let restPercent = 0
  for (let round = 1; round <= rounds; round++) {
    say(`sleep: round ${round} of ${rounds}`)
    await until(running, () => countOf(running, 'worker stopped') === round)
    asleepMb = Math.max(asleepMb, workersMb(running))
    if (round === 1) restPercent = await restingCpu(running.pid)
    const startedAt = performance.now()
    const status = await getStatus(origins(running).http)
    const firstMs = performance.now() - startedAt
    if (status !== 200) throw new Error(`the first request got ${status}: ${running.log()}`)
    const boots = [...running.log().matchAll(/worker ready .* boot_ms=(\d+)/g)]
    wakeups.push({ firstMs, bootMs: Number(boots.at(-1)?.[1]), workersMb: workersMb(running) })
  }
  const of = (pick: (wakeup: Wakeup) => number) => describeMedian(wakeups.map(pick))
  return [
    of(({ firstMs }) => firstMs),
    of(({ bootMs }) => bootMs),
    of(({ firstMs, bootMs }) => firstMs - bootMs),
    `${Math.round(median(wakeups.map(wakeup => wakeup.workersMb)))}`,
    `${Math.round(asleepMb)}`,
    restPercent.toFixed(2),
  ]
}

function workersMb(running: Running): number {
  return running.workerPids().reduce((sum, pid) => sum + rssOf(pid), 0)
}

function rssOf(pid: number): number {
  try {
    return readFigures(pid).rssMb
  } catch {
    return 0 // it has ended
  }
}

async function restingCpu(pid: number): Promise<number> {
  const before = readFigures(pid).cpuMs
  await pause(restMs)
  return ((readFigures(pid).cpuMs - before) / restMs) * 100
}

function countOf(running: Running, message: string): number {
  return running.log().split(`monohull info ${message} `).length - 1
}

async function until(running: Running, isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`it does not fall asleep: ${running.log()}`)
    await pause(pollMs)
  }
}
