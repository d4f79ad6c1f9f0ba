/** Check of a process on this machine. */
export type Check =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'unix'; path: string }
  | { kind: 'http'; url: string }
  | { kind: 'exec'; argv: readonly string[] }

/** Condition for a process to be ready. Times in ms. */
export interface ReadinessPlan {
  /** `line`: a line of its output that contains the text. */
  check: Check | { kind: 'line'; text: string }
  timeoutMs: number
}

/** Checks of a process that is ready. Times in ms. */
export interface HealthPlan {
  check: Check
  intervalMs: number
  timeoutMs: number
  /** Failures in a row after which it is restarted. */
  failures: number
  /** Time after it became ready in which failures do not count. */
  startPeriodMs: number
}

/** Check for messages: `TCP 127.0.0.1:6379`, `redis-cli ping`. */
export function describeCheck(check: ReadinessPlan['check']): string {
  switch (check.kind) {
    case 'tcp':
      return `TCP ${check.host}:${check.port}`
    case 'unix':
      return `the socket ${check.path}`
    case 'http':
      return check.url
    case 'exec':
      return check.argv.join(' ')
    case 'line':
      return `a line with ${JSON.stringify(check.text)}`
  }
}
