/** Something wrong in the configuration. */
export interface Problem {
  /** `app.workers`, a variable's name, or empty when it concerns the whole file. */
  key: string
  /** Where the value came from: `monohull.yaml:7`, `MONOHULL_WORKERS`, `--workers`. */
  source: string
  value: unknown
  problem: string
  fix: string
}

export const secretMask = '••••••'

/** The problems as a person reads them on a terminal, all of them at once. */
export function formatProblems(problems: readonly Problem[]): string {
  const heading = problems.length === 1 ? 'monohull: 1 problem' : `monohull: ${problems.length} problems`
  return [heading, ...problems.map(formatProblem)].join('\n')
}

function formatProblem({ key, source, value, problem, fix }: Problem): string {
  const got = value === undefined ? '' : `, got ${JSON.stringify(value)}`
  return `  ${key === '' ? source : key}: ${problem}${got}\n    from: ${source}\n    fix:  ${fix}`
}

/** Notes a problem: `complain(key, value, problem, fix)`. */
export type Complain = (key: string, value: unknown, problem: string, fix: string) => void

/** Collects what is wrong on this machine. */
export function collectProblems(): { problems: Problem[]; complain: Complain } {
  const problems: Problem[] = []
  return {
    problems,
    complain: (key, value, problem, fix) => problems.push({ key, source: 'this machine', value, problem, fix }),
  }
}
