import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench, Measure } from './bench.ts'
import { faults } from './killer.ts'
import { boot } from './measures/boot.ts'
import { container } from './measures/container.ts'
import { faultsMeasure } from './measures/faults.ts'
import { memory } from './measures/memory.ts'
import { throughput } from './measures/throughput.ts'
import { kill, processesUsing } from './processes.ts'
import { monohullStack } from './stacks/monohull.ts'
import { pm2Stack } from './stacks/pm2.ts'
import { scriptStack } from './stacks/script.ts'
import type { Stack } from './stacks/stack.ts'
import { supervisordStack } from './stacks/supervisord.ts'
import { createWorkplace, type Workplace } from './workplace.ts'

const measures: readonly Measure[] = [container, boot, memory, throughput, faultsMeasure]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    fault: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter(name => !measures.some(measure => measure.name === name))
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(' ')}; there are ${measures.map(({ name }) => name).join(', ')}\n`)
  process.exit(64)
}

const wanted = measures.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (values.list) {
  process.stdout.write(wanted.map(({ name }) => `${name}\n`).join(''))
  process.exit(0)
}

const say = (text: string) => process.stderr.write(`${text}\n`)
const workplace = createWorkplace()
process.once('exit', () => {
  // what an error or Ctrl-C has left
  for (const pid of processesUsing(workplace.dir)) kill(pid, 'SIGKILL')
  if (values.keep) say(`kept: ${workplace.dir}`)
  else workplace.remove()
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const bench: Omit<Bench, 'seconds'> = {
  workplace,
  monohull: monohullStack(workplace),
  script: scriptStack(workplace),
  peers: values['no-peers'] ? [] : findPeers(workplace),
  rounds: Number(values.rounds),
  faults: values.fault ? faults.filter(fault => values.fault?.includes(fault)) : faults,
  say,
}
process.stdout.write(`${describeMachine()}\n`)
for (const measure of wanted) {
  const seconds = Number(values.seconds ?? (measure === faultsMeasure ? 10 : 5))
  const result = await measure.run({ ...bench, seconds })
  process.stdout.write(`\n### ${measure.title}\n\n${result}\n`)
}

function findPeers(of: Workplace): Stack[] {
  return [pm2Stack, supervisordStack].flatMap(create => {
    try {
      return [create(of)]
    } catch (error) {
      say(`left out, cannot be had here: ${error instanceof Error ? error.message : error}`)
      return []
    }
  })
}

function describeMachine(): string {
  const nginx = /nginx\/\S+/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr)?.[0]
  const versions = `Node ${process.versions.node}, ${nginx}`
  return `${availableParallelism()} cores, ${versions}. Medians of at least ${values.rounds} interleaved rounds (and their range).`
}
