/** Exit of a process. */
export type Exit =
  | { kind: 'code'; code: number }
  /** `isOutOfMemory`: the kernel's OOM killer ended it, because the cgroup had no memory left. */
  | { kind: 'signal'; signal: string; number: number; isOutOfMemory?: true }

/** Exit code as a shell reports it: the code, or 128 + the signal's number. */
export function exitCodeOf(exit: Exit): number {
  return exit.kind === 'code' ? exit.code : 128 + exit.number
}

/** Exit as text: `exit code 3`, `signal SIGKILL`, `signal SIGKILL (out of memory)`. */
export function describeExit(exit: Exit): string {
  if (exit.kind === 'code') return `exit code ${exit.code}`
  return `signal ${exit.signal}${exit.isOutOfMemory ? ' (out of memory)' : ''}`
}
