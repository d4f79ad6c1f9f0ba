import { parseArgs } from 'node:util'
import { runPool } from './pool-run.ts'

/*
 * node --import tsx test/simulation/simulate.ts [--from SEED] [--seeds N]: runs these seeds and prints those that break a rule.
 * node --import tsx test/simulation/simulate.ts --seed SEED: replays one, with everything that happens in it.
 */
const mostFailures = 10

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '10000' },
  },
})

if (values.seed !== undefined) {
  const violation = await runPool(Number(values.seed), line => process.stdout.write(`${line.trimEnd()}\n`))
  process.stdout.write(`${violation ?? 'no rule is broken'}\n`)
  process.exitCode = violation ? 1 : 0
} else {
  const first = Number(values.from)
  let failures = 0
  for (let seed = first; seed < first + Number(values.seeds) && failures < mostFailures; seed++) {
    const violation = await runPool(seed)
    if (!violation) continue
    failures++
    process.stdout.write(`seed ${seed}: ${violation}\n  node --import tsx test/simulation/simulate.ts --seed ${seed}\n`)
  }
  process.exitCode = failures > 0 ? 1 : 0
}
