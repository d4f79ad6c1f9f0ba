import type { Bench, Measure } from '../bench.ts'
import { measureCrash } from '../limits/crash.ts'
import type { Finding } from '../limits/finding.ts'
import { measureRollingRestart } from '../limits/rolling-restart.ts'
import { measureSupervisor } from '../limits/supervisor.ts'
import { describeMedian } from '../median.ts'
import { markdownTable } from '../table.ts'
import { judgeTarget } from '../target.ts'

/** Limits of the cost of a restart and of a worker. */
export const limits: Measure = {
  name: 'limits',
  title: 'Limits of Monohull: restarts, and the supervisor of many workers',
  async run(bench) {
    const findings: Finding[] = []
    for (const measure of [measureCrash, measureRollingRestart, measureSupervisor])
      findings.push(...(await measure(bench)))
    const rows = findings.map(({ name, values, target, digits }) => [
      name,
      describeMedian(values, digits),
      target ? judgeTarget(values, target) : '',
    ])
    return [markdownTable(['', 'median (range)', 'target'], rows), describeSizes(bench)].join('\n\n')
  },
}

function describeSizes({ rounds, limits: { wide, restSeconds } }: Bench): string {
  return `${rounds} rounds with default settings (min_uptime: 2 s). ${wide} workers, ${restSeconds} s at rest.`
}
