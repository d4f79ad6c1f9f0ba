import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('simulate.ts', import.meta.url))
/** Few for the suite; bench/simulate.sh runs a million. */
const seeds = { pool: 5000, nginx: 3000, run: 2000 }

/** Output of a simulation of these seeds: those that broke a rule. Each runs in a process, as the test runner slows down promises. */
async function simulate(world: keyof typeof seeds): Promise<string> {
  // Node itself strips the types: what tsx adds to each function costs a quarter of the time
  const argv = [script, world, '--seeds', `${seeds[world]}`]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return code === 0 ? output : output || `ended with ${code}`
}

describe('simulated worlds whose calls fail, come late or come in another order', {
  timeout: 300_000,
  concurrency: true,
}, () => {
  for (const world of ['pool', 'nginx', 'run'] as const)
    it(`keep every rule of ${world} for ${seeds[world]} seeds`, async () => assert.equal(await simulate(world), ''))
})
