import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { scalarKeys } from '../../../supervisor/site/config.ts'
import { referenceFiles } from '../../../tools/reference/files.ts'
import { jsonSchema, schemaAt } from '../../../tools/reference/json-schema.ts'
import { outputSchemaPath } from '../../../tools/reference/output-schema.ts'

const home = join(import.meta.dirname, '../../..')
const files = await referenceFiles(home)

describe('docs/reference', () => {
  for (const [path, text] of files) {
    it(`${path} is current`, () => {
      assert.equal(readFileSync(join(home, path), 'utf8'), text, `${path} is out of date: npm run reference`)
    })
  }

  it('contains nothing else', () => {
    const present = readdirSync(join(home, 'docs/reference')).map(name => `docs/reference/${name}`)
    assert.deepEqual(present.sort(), [...files.keys(), outputSchemaPath].sort())
  })

  it('lists every key once, with its variable and flag', () => {
    const page = files.get('docs/reference/configuration.md') ?? ''
    for (const { key, variable, flag } of scalarKeys()) {
      const rows = page.split('\n').filter(line => line.startsWith(`| \`${key}\` |`))
      assert.equal(rows.length, 1, key)
      assert.ok(rows[0]?.includes(`\`${variable}\``), key)
      assert.ok(rows[0]?.includes(`\`${flag}\``) || key === 'app.command', key)
    }
  })

  it('lists every flag of the program’s help', () => {
    const page = files.get('docs/reference/cli.md') ?? ''
    for (const { key, flag } of scalarKeys())
      if (key !== 'app.command') assert.ok(page.includes(`  ${flag} <value>`), flag)
  })
})

describe('docs/reference/monohull.schema.json', () => {
  const schema = jsonSchema()

  it('describes every key, and rejects others', () => {
    for (const { key, path } of scalarKeys()) {
      const node = schemaAt(schema, path)
      assert.notEqual(node.description ?? '', '', key)
      assert.ok(node.type ?? node.anyOf, key)
      assert.equal(schemaAt(schema, path.slice(0, -1)).additionalProperties, false, key)
    }
  })

  it('distinguishes durations from other texts', () => {
    const pattern = new RegExp(schemaAt(schema, ['app', 'boot_timeout']).pattern ?? assert.fail('no pattern'))
    for (const text of ['500ms', '8s', '1h30m', '1.5s']) assert.match(text, pattern)
    for (const text of ['', '8', '8 s', 's']) assert.doesNotMatch(text, pattern)
    assert.equal(schemaAt(schema, ['app', 'directory']).pattern, undefined)
  })
})
