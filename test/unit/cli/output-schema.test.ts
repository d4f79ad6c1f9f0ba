import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as z from 'zod'
import { outputSchema, outputSchemaPath } from '../../../tools/reference/output-schema.ts'
import { runRecord } from '../run/run-record.ts'

const home = join(import.meta.dirname, '../../..')
const text = readFileSync(join(home, outputSchemaPath), 'utf8')
const { $schema, definitions } = JSON.parse(text)

/** Problems of a value that a command printed. */
function problemsOf(command: string, value: unknown): string[] {
  const schema = z.fromJSONSchema({ $schema, ...definitions.CommandOutput.properties[command], definitions })
  const parsed = schema.safeParse(JSON.parse(JSON.stringify(value)))
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe(outputSchemaPath, () => {
  it('is current', () => {
    assert.equal(text, outputSchema(home), `${outputSchemaPath} is out of date: npm run reference`)
  })

  it('describes lines, events and deaths', () => {
    const { record, log } = runRecord()
    record.logs.append({ source: 'app.1', origin: 'stdout', pid: 41 }, 'a line')
    log.error('worker died', { worker: 'app.1', pid: 41, exit: 'SIGKILL', in_flight: ['GET /'] })
    for (const line of record.logs.read()) assert.deepEqual(problemsOf('logs', line), [])
    for (const event of record.events.read()) assert.deepEqual(problemsOf('events', event), [])
    assert.deepEqual(problemsOf('deaths', record.deaths.read()), [])
    assert.deepEqual(problemsOf('others', { ok: false, message: 'a', reason: 'b' }), [])
    assert.notDeepEqual(problemsOf('logs', { id: '1' }), [])
    assert.notDeepEqual(problemsOf('others', { ok: true }), [])
  })

  it('has a docstring for each of their keys that does not speak for itself', () => {
    for (const name of ['LogLine', 'RunEvent', 'DeathRecord', 'Status', 'WorkerStatus', 'EffectiveKey'])
      assert.ok(definitions[name].description, name)
  })
})
