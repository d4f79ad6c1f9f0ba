import { parseArgs } from 'node:util'
import { runNginx } from './nginx-run.ts'
import { runPool } from './pool-run.ts'
import { runWhole } from './run-run.ts'

/*
 * node test/simulation/simulate.ts [pool | nginx | run] [--from SEED] [--seeds N]: runs these seeds of a world (default: of all)
 * and prints those that break a rule.
 * node test/simulation/simulate.ts WORLD --seed SEED: replays one, with everything that happens in it.
 */
const mostFailures = 10
const worlds = { pool: runPool, nginx: runNginx, run: runWhole }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '10000' },
  },
})

// stacks of expected errors cost more than the simulation
if (values.seed === undefined) Error.stackTraceLimit = 0
const chosen = Object.entries(worlds).filter(([name]) => positionals.length === 0 || positionals.includes(name))
let failures = 0
for (const [name, run] of chosen) {
  if (values.seed !== undefined) {
    const violation = await run(Number(values.seed), line => process.stdout.write(`${line.trimEnd()}\n`))
    process.stdout.write(`${name}: ${violation ?? 'no rule is broken'}\n`)
    if (violation) failures++
    continue
  }
  const first = Number(values.from)
  for (let seed = first; seed < first + Number(values.seeds) && failures < mostFailures; seed++) {
    const violation = await run(seed)
    if (!violation) continue
    failures++
    const replay = `node test/simulation/simulate.ts ${name} --seed ${seed}`
    process.stdout.write(`${name}, seed ${seed}: ${violation}\n  ${replay}\n`)
  }
}
process.exitCode = failures > 0 ? 1 : 0
