/** Last end of a worker or process that nobody requested, for the status. */
export interface LastDeath {
  /** ISO 8601. */
  at: string
  /** `exit code 1`, `SIGKILL` */
  exit: string
  /** Reason that monohull knows, such as a hang or a limit of memory. */
  reason: string | undefined
  /** The line of its last output that says most. */
  line: string | undefined
  /** Requests that it had accepted but not responded to. */
  requests: readonly string[]
}

/** Counts of a worker or process, and its last death. */
export interface RestartCounts {
  /** Starts after the first, whatever the reason. */
  restarts: number
  /** Ends that nobody requested. */
  crashes: number
  /** Planned replacements: reload, restart, recycling. */
  replacements: number
  /** Ends that nobody requested by their reason, such as `hung` or `out of memory`; see `endReason`. */
  deaths?: Readonly<Record<string, number>>
  lastDeath?: LastDeath | undefined
}

/** `Error: no such table`, `[ReferenceError: x is not defined]`, `psycopg2.OperationalError: …` */
const errorLine = /^\s*(?:Uncaught |\[)?[\w.$]*(?:Error|Exception|Rejection|Panic|panic|fatal)\b[\w ]*(?:\[\w+\])?:/
const traceback = /^Traceback \(most recent call last\)/

/** The line that says most about an end: the first one that names an error, otherwise the last one. */
export function tellingLine(lastLines: readonly string[]): string | undefined {
  const last = lastLines.at(-1)
  // the lines of a traceback quote code, and its last line names the error
  if (lastLines.some(line => traceback.test(line))) return lastLines.findLast(line => errorLine.test(line)) ?? last
  return (lastLines.find(line => errorLine.test(line)) ?? last)?.trim()
}

/** Deaths as lines below the table of the status: `app.1 died at …: exit code 1: Error: …`. */
export function formatLastDeaths(members: readonly ({ name: string } & RestartCounts)[]): string {
  return members
    .flatMap(({ name, lastDeath }) => {
      if (!lastDeath) return []
      const { at, exit, reason, line, requests } = lastDeath
      const why = [exit, reason, line].filter(part => part !== undefined).join(': ')
      return [`${name} died at ${at}: ${why}\n`, ...requests.map(request => `    in flight: ${request}\n`)]
    })
    .join('')
}
