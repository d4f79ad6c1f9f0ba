// needs: lua5.1
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'

const folder = join(import.meta.dirname, 'lua')
const modules = join(import.meta.dirname, '../../../nginx/lua')

/** Runs the cases in plain Lua, with a fake nginx. */
for (const file of readdirSync(folder).filter(name => name.endsWith('_cases.lua'))) {
  describe(`nginx/lua/monohull/${basename(file, '_cases.lua')}`, () => {
    const { stdout, stderr, error } = spawnSync('lua5.1', [join(folder, 'run.lua'), modules, join(folder, file)], {
      encoding: 'utf8',
    })
    const results = (stdout ?? '').split('\n').filter(line => line !== '')
    it('runs', () => {
      assert.deepEqual([error, stderr], [undefined, ''])
      assert.notEqual(results.length, 0)
    })
    for (const line of results) {
      const [result, name] = line.split('\t')
      it(`${name}`, () => assert.equal(result, 'ok'))
    }
  })
}
