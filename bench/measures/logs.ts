import { spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Measure } from '../bench.ts'
import { countPrinted, type PrintedLines } from '../logs/check.ts'
import { listRelays, type Relay } from '../logs/relays.ts'
import { describeMedian } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { childrenOf, commandOf, kill } from '../processes.ts'
import { markdownTable } from '../table.ts'
import type { Workspace } from '../workspace.ts'

const lines = 500_000
const forms = ['lines', 'blocks'] as const
const deadlineMs = 60_000
const pollMs = 5
const stopMs = 15_000

interface Sample extends PrintedLines {
  perSecond: number
  /** Seconds for a million lines. */
  cpu: number
  rss: number
}

/** Pace and cost of relaying the output of a program into a pipe. */
export const logs: Measure = {
  name: 'logs',
  title: `Relay of ${lines.toLocaleString('en')} lines of 100 bytes into a pipe`,
  async run({ workspace, rounds, say }) {
    const relays = listRelays(workspace)
    const samples = new Map<string, Sample[]>()
    for (let round = 1; round <= rounds; round++) {
      for (const form of forms) {
        for (const relay of relays) {
          say(`logs: ${form}, ${relay.name}, round ${round} of ${rounds}`)
          const sample = await measureRelay(workspace, relay, form)
          const key = `${relay.name}\n${form}`
          if (sample) samples.set(key, [...(samples.get(key) ?? []), sample])
        }
      }
    }
    const rows = forms.flatMap(form =>
      relays.map(({ name }) => {
        const taken = samples.get(`${name}\n${form}`) ?? []
        const figures = (of: (sample: Sample) => number, digits = 0) => describeMedian(taken.map(of), digits)
        const sum = (of: (sample: Sample) => number) => String(taken.reduce((total, sample) => total + of(sample), 0))
        return [
          `${form === 'lines' ? 'console.log' : 'blocks of 64 KiB'}: ${name}`,
          figures(sample => sample.perSecond),
          name === 'bare pipe' ? '' : figures(sample => sample.cpu, 2),
          name === 'bare pipe' ? '' : figures(sample => sample.rss, 1),
          sum(sample => Math.max(0, lines - sample.whole - sample.torn)),
          sum(sample => sample.torn),
        ]
      }),
    )
    return markdownTable(['', 'lines/s', 'CPU s per million', 'RSS, MB', 'lost', 'torn'], rows)
  },
}

async function measureRelay(workspace: Workspace, relay: Relay, form: string): Promise<Sample | undefined> {
  const { command, env } = await relay.command(form, lines)
  const dir = workspace.makeDirectory('reader')
  // in memory, so that the reader is faster than any relay
  const path = join(existsSync('/dev/shm') ? '/dev/shm' : dir, `monohull-bench-${process.pid}.log`)
  const pipeline = spawn('/bin/sh', ['-c', '"$@" 2>&1 | cat > "$0"', path, ...command], {
    cwd: join(dir, 'app'),
    env: { PATH: workspace.path, NODE_ENV: 'production', ...env },
    stdio: 'ignore',
  })
  const hasEnded = new Promise<void>(resolve => pipeline.once('exit', () => resolve()))
  try {
    const begun = await untilIn(path, log => /BEGIN (\d+)/.exec(log)?.[1])
    const head = childrenOf(pipeline.pid ?? 0).find(pid => commandOf(pid) !== 'cat') ?? 0
    const pids = relay.pids(head)
    const cpuMs = () => pids.reduce((sum, pid) => sum + readFigures(pid).cpuMs, 0)
    const before = cpuMs()
    let rss = 0
    const ended = await untilIn(path, log => {
      rss = Math.max(rss, ...pids.map(pid => readFigures(pid).rssMb))
      return /\bEND\b/.test(log) ? String(Date.now()) : undefined
    })
    const cpu = cpuMs() - before
    kill(head, 'SIGTERM')
    await Promise.race([hasEnded, pause(stopMs, undefined, { ref: false })])
    if (begun === undefined || ended === undefined) return undefined
    const seconds = (Number(ended) - Number(begun)) / 1000
    return { perSecond: lines / seconds, cpu: (cpu / lines) * 1000, rss, ...countPrinted(readFileSync(path)) }
  } finally {
    endPipeline(pipeline.pid ?? 0)
    rmSync(path, { force: true })
  }
}

/** Kills what is left of a pipeline. */
function endPipeline(pid: number): void {
  for (const child of [...childrenOf(pid).flatMap(childrenOf), ...childrenOf(pid), pid]) kill(child, 'SIGKILL')
}

/** What `find` finds in the last kilobytes of a file; undefined after the deadline. */
async function untilIn(path: string, find: (end: string) => string | undefined): Promise<string | undefined> {
  const deadline = performance.now() + deadlineMs
  while (performance.now() < deadline) {
    const found = find(readEnd(path))
    if (found !== undefined) return found
    await pause(pollMs)
  }
  return undefined
}

/** First and last kilobytes of a file. */
function readEnd(path: string): string {
  const bytes = 4096
  try {
    const file = openSync(path, 'r')
    const buffer = Buffer.alloc(2 * bytes)
    const { size } = fstatSync(file)
    const first = readSync(file, buffer, 0, bytes, 0)
    const last = readSync(file, buffer, first, bytes, Math.max(0, size - bytes))
    closeSync(file)
    return buffer.toString('latin1', 0, first + last)
  } catch {
    return '' // does not exist yet
  }
}
