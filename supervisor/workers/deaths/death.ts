import { formatDuration } from '../../base/duration.ts'
import type { Protocol } from '../../nginx/protocol.ts'
import type { Exit } from '../../processes/exit.ts'
import type { StopCause } from '../../processes/process-state.ts'

/** Facts about the end of a worker. */
export interface DeathFacts {
  exit: Exit
  wasReady: boolean
  cause: StopCause | undefined
  /** Description of the hang for which it was killed. */
  hang: string | undefined
  program: string
  /** The command, for messages. */
  argv: readonly string[]
  listen: 'inherit' | 'port'
  /** Its own port, with `listen: port`. */
  port: number | undefined
  protocol?: Protocol | undefined
  bootTimeoutMs: number
  /** TCP ports that it listened on when boot_timeout expired. */
  otherPorts: readonly number[]
  /** Process that listens there, if the program started it. */
  otherOwner: string | undefined
  /** That its server speaks another protocol, with the fix. */
  mismatch?: string | undefined
  /** Memory limit of the cgroup in bytes; undefined without a limit. */
  memoryLimit: number | undefined
}

/** Reason for a worker's end and the fix; undefined if the exit says enough. */
export function explainDeath(facts: DeathFacts): string | undefined {
  if (facts.cause === 'boot timeout') return explainBootTimeout(facts)
  if (facts.cause === 'hung') return `hung: ${facts.hang}`
  if (facts.exit.kind === 'signal' && facts.exit.isOutOfMemory) return explainOutOfMemory(facts)
  if (facts.exit.kind !== 'code' || facts.wasReady) return undefined
  switch (facts.exit.code) {
    case 127:
      return `the command ${facts.program} was not found; install it, or fix app.command`
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

function explainBootTimeout(facts: DeathFacts): string {
  const { argv, listen, port, bootTimeoutMs, otherPorts, otherOwner, mismatch } = facts
  if (mismatch !== undefined) return mismatch
  if (port !== undefined && otherPorts.includes(port)) {
    const protocol = facts.protocol ?? 'http'
    return `it listens on its port ${port}, but did not respond in ${protocol} within boot_timeout ${formatDuration(bootTimeoutMs)}; set app.protocol to what it speaks, or raise boot_timeout`
  }
  const wrapper = argv.slice(0, 3).join(' ')
  const ports = otherPorts.length > 0 ? `; it listens on port ${otherPorts.join(', ')} instead` : ''
  const where =
    ports && otherOwner ? `${ports}, in ${otherOwner}, which ${wrapper} started without descriptor 3` : ports
  const fix =
    listen === 'port'
      ? 'let it listen on the port in $PORT'
      : otherOwner
        ? `run that program itself instead of ${wrapper}, or set listen: port`
        : 'let it listen on file descriptor 3 (Gunicorn: --bind fd://3, Uvicorn: --fd 3), or set listen: port'
  return `it did not listen within boot_timeout ${formatDuration(bootTimeoutMs)}${where}; ${fix}, or raise boot_timeout`
}
