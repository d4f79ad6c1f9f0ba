import { readFileSync } from 'node:fs'
import { load } from '../load.ts'
import { childrenOf } from '../processes.ts'
import { origins, type Running, type Stack, type StartOptions, untilServing } from '../stacks/stack.ts'
import { bodyOf, hostOf, requestsFor } from './hosts.ts'

/** Cost of many routes. */
export interface Size {
  /** From the start to the response for the last host. */
  startSeconds: number
  supervisorMb: number
  nginxMb: number
  /** The same after visits of as many hosts as the load manages, at random. */
  visitedSupervisorMb: number
  visitedNginxMb: number
}

/** Starts with routes to hosts from 1 to `count`, and visits them for some time. */
export async function measureSize(
  stack: Stack,
  options: StartOptions,
  { count, seconds }: { count: number; seconds: number },
): Promise<Size> {
  const running = await stack.start(options)
  try {
    await untilServing(running, origins(running).http)
    while ((await bodyOf(running, hostOf(count))) === '') if (running.hasEnded()) throw new Error(running.log())
    const startSeconds = (performance.now() - running.startedAt) / 1000
    const [supervisorMb, nginxMb] = memoryOf(running)
    const lua = requestsFor('random', count)
    await load({ url: `${origins(running).http}/`, method: 'GET', connections: 64, seconds, dir: running.dir, lua })
    const [visitedSupervisorMb, visitedNginxMb] = memoryOf(running)
    return { startSeconds, supervisorMb, nginxMb, visitedSupervisorMb, visitedNginxMb }
  } finally {
    await running.stop()
  }
}

/** Memory of the supervisor and of all nginx processes, in MB; what processes share counts once. */
export function memoryOf(running: Running): [number, number] {
  const nginx = running.nginxPid() ?? 0
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + proportionalMb(pid), 0)
  return [sum(running.supervisorPids()), sum([nginx, ...childrenOf(nginx)])]
}

function proportionalMb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024
}
