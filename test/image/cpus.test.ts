import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startContainer, until } from './docker.ts'

describe('workers: auto', () => {
  for (const { cpus, workers } of [
    { cpus: '0.5', workers: 1 },
    { cpus: '1', workers: 1 },
    { cpus: '1.5', workers: 2 },
    { cpus: '2', workers: 2 },
  ]) {
    it(`--cpus ${cpus}: ${workers} of the app, ${workers} of nginx`, async t => {
      const container = await startContainer(t, { args: ['--cpus', cpus] })
      const count = async (pattern: RegExp) =>
        (await container.processes()).filter(({ command }) => pattern.test(command)).length
      assert.equal(await count(/app\/server\.cjs/), workers)
      // those of a reload just done are still leaving
      await until(`${workers} nginx workers`, async () => (await count(/^nginx: worker process$/)) === workers)
    })
  }
})
