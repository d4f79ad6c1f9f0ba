import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Measure } from '../bench.ts'
import { describeMedian } from '../median.ts'
import { kill } from '../processes.ts'
import { withFile, withJobs } from '../stacks/monohull.ts'
import { getStatus, origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const restSeconds = 10

interface Memory {
  rss: number
  private: number
  anonymous: number
}

/** Memory of the supervisor at rest, with one health check per second. */
export const memory: Measure = {
  name: 'memory',
  title: 'Memory of the supervisor at rest for 10 s, with one health check per second',
  async run(bench) {
    const ours = bench.builds.flatMap(build => [build, withFile(build), withJobs(build, 1000)])
    const stacks = [...new Set([...ours, ...bench.peers, ...bench.appPeers])]
    const samples = new Map<string, Memory[]>()
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`memory: round ${round} of ${bench.rounds}`)
      const empty = spawn(bench.workspace.node, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' })
      const all: Running[] = []
      try {
        for (const stack of stacks) {
          const running = await stack.start()
          all.push(running)
          await untilServing(running, `${origins(running).http}/`)
        }
        for (let second = 0; second < restSeconds; second++) {
          await pause(1000)
          // stacks without /healthz respond with the app's 404, so that all get the same load
          await Promise.all(all.map(running => getStatus(`${origins(running).http}/healthz`)))
        }
        for (const [index, { supervisorPids }] of all.entries())
          addSample(samples, stacks[index]?.name ?? '', sum(supervisorPids().map(readMemory)))
        if (empty.pid) addSample(samples, 'empty Node script', readMemory(empty.pid))
      } finally {
        for (const running of all) await running.stop()
        if (empty.pid) kill(empty.pid, 'SIGKILL')
      }
    }
    const rows = [...samples].map(([name, taken]) => [
      name,
      describeMedian(
        taken.map(sample => sample.rss),
        1,
      ),
      describeMedian(
        taken.map(sample => sample.private),
        1,
      ),
      describeMedian(
        taken.map(sample => sample.anonymous),
        1,
      ),
    ])
    return markdownTable(['MB', 'RSS (target ≤ 52)', 'private (target ≤ 13)', 'anonymous'], rows)
  },
}

function addSample(samples: Map<string, Memory[]>, name: string, sample: Memory): void {
  samples.set(name, [...(samples.get(name) ?? []), sample])
}

function sum(parts: readonly Memory[]): Memory {
  const total = (key: keyof Memory) => parts.reduce((soFar, part) => soFar + part[key], 0)
  return { rss: total('rss'), private: total('private'), anonymous: total('anonymous') }
}

/** Memory from /proc/PID/smaps_rollup, in MB of 2^20 bytes. Private memory would be free if this process ended. */
function readMemory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024
  return {
    rss: megabytes('Rss'),
    private: megabytes('Private_Clean') + megabytes('Private_Dirty'),
    anonymous: megabytes('Anonymous'),
  }
}
