import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('simulate.ts', import.meta.url))
const seeds = 10_000
const parts = 2

/** Output of a simulation of these seeds: those that broke a rule. Each runs in a process, as the test runner slows down promises. */
async function simulate(from: number, count: number): Promise<string> {
  const argv = ['--import', 'tsx', script, '--from', `${from}`, '--seeds', `${count}`]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return code === 0 ? output : output || `ended with ${code}`
}

describe('a pool of workers in a simulated world', { timeout: 300_000 }, () => {
  it(`keeps every rule in ${seeds} worlds whose calls fail, come late or come in another order`, async () => {
    const share = seeds / parts
    const failures = await Promise.all(Array.from({ length: parts }, (_, part) => simulate(1 + part * share, share)))
    assert.equal(failures.join(''), '')
  })
})
