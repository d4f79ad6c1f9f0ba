import { secretMask } from '../base/secret.ts'

/** Problem in the configuration. */
export interface Problem {
  /** Key such as `app.workers`, name of a variable, or empty if the whole file is concerned. */
  key: string
  /** Source of the value: `monohull.yaml:7`, `MONOHULL_WORKERS`, `--workers`. */
  source: string
  value: unknown
  problem: string
  fix: string
}

/** All problems as text for a terminal. */
export function formatProblems(problems: readonly Problem[]): string {
  const heading = problems.length === 1 ? 'monohull: 1 problem' : `monohull: ${problems.length} problems`
  return [heading, ...problems.map(formatProblem)].join('\n')
}

function formatProblem({ key, source, value, problem, fix }: Problem): string {
  const got = value === undefined ? '' : `, got ${shortened(JSON.stringify(value))}`
  return `  ${key === '' ? source : key}: ${problem}${got}\n    from: ${source}\n    fix:  ${fix}`
}

const maxValueLength = 200

/** Text without the user and password of a URL, which may stand anywhere by mistake. */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/"@]*@/g, `://${secretMask}@`)
}

/** A value as it may be shown: short, and without credentials. */
function shortened(value: string): string {
  const text = withoutCredentials(value)
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength)}… (${text.length} characters)` : text
}

/** Value for JSON; a long text is shortened. For `JSON.stringify`. */
export function shortValue(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? shortened(value) : value
}

/** Reports a problem: `complain(key, value, problem, fix)`. */
export type Complain = (key: string, value: unknown, problem: string, fix: string) => void

/** Collector of problems found on this machine. */
export function collectProblems(): { problems: Problem[]; complain: Complain } {
  const problems: Problem[] = []
  return {
    problems,
    complain: (key, value, problem, fix) => problems.push({ key, source: 'this machine', value, problem, fix }),
  }
}
