/** How a process ended. */
export type Exit = { kind: 'code'; code: number } | { kind: 'signal'; signal: string; number: number }

/** The exit code a shell would give: the code, or 128 + the signal's number. */
export function exitCodeOf(exit: Exit): number {
  return exit.kind === 'code' ? exit.code : 128 + exit.number
}

/** `exit code 3`, `signal SIGKILL`. */
export function describeExit(exit: Exit): string {
  return exit.kind === 'code' ? `exit code ${exit.code}` : `signal ${exit.signal}`
}
