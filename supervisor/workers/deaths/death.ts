import { formatDuration } from '../../base/duration.ts'
import type { Exit } from '../../processes/exit.ts'
import type { StopCause } from '../../processes/process-state.ts'

export interface DeathFacts {
  exit: Exit
  wasReady: boolean
  cause: StopCause | undefined
  /** What it was ended for when it hung. */
  hang: string | undefined
  program: string
  listen: 'inherit' | 'port'
  bootTimeoutMs: number
  /** TCP ports that it listened on when its time to boot was over. */
  otherPorts: readonly number[]
  /** Bytes that the cgroup may use; undefined without a limit. */
  memoryLimit: number | undefined
}

/** What an operator needs to know about a worker's end beyond the exit, and what to do; undefined when there is no more to say. */
export function explainDeath(facts: DeathFacts): string | undefined {
  if (facts.cause === 'boot timeout') return explainSilence(facts)
  if (facts.cause === 'hung') return `hung: ${facts.hang}`
  if (facts.exit.kind === 'signal' && facts.exit.isOutOfMemory) return explainOutOfMemory(facts)
  if (facts.exit.kind !== 'code' || facts.wasReady) return undefined
  switch (facts.exit.code) {
    case 127:
      return `the command ${facts.program} was not found; install it, or mend app.command`
    case 126:
      return `the command ${facts.program} cannot be executed; chmod +x it, or name its interpreter`
    case 0:
      return 'it ended by itself before it listened; the command must stay in the foreground and serve'
    default:
      return undefined
  }
}

function explainOutOfMemory({ memoryLimit }: DeathFacts): string {
  const limit = memoryLimit === undefined ? '' : `, which is limited to ${Math.round(memoryLimit / 2 ** 20)} MB`
  return `the kernel killed it: no memory was left in its cgroup${limit}; raise the limit, or run fewer workers`
}

function explainSilence({ listen, bootTimeoutMs, otherPorts }: DeathFacts): string {
  const where = otherPorts.length > 0 ? `; it listens on port ${otherPorts.join(', ')} instead` : ''
  const fix =
    listen === 'inherit'
      ? 'let it listen on file descriptor 3 (Gunicorn: --bind fd://3, Uvicorn: --fd 3), or set listen: port'
      : 'let it listen on the port in $PORT'
  return `it did not listen within boot_timeout ${formatDuration(bootTimeoutMs)}${where}; ${fix}, or raise boot_timeout`
}
