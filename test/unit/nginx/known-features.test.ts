import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { knownFeatures, rememberFeatures } from '../../../supervisor/nginx/adapters/known-features.ts'
import { readFeatures } from '../../../supervisor/nginx/features.ts'

const features = readFeatures(
  'nginx version: nginx/1.26.3',
  () => false,
  () => false,
)

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'monohull-features-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

describe('nginx/known-features', () => {
  it('knows what was recorded, until a module is added', t => {
    const directory = makeDirectory(t)
    const [file, modules] = [join(directory, 'nginx.json'), join(directory, 'modules')]
    mkdirSync(modules)
    assert.equal(knownFeatures(file), undefined)
    rememberFeatures(file, features, modules)
    assert.deepEqual({ ...features, ...knownFeatures(file) }, features)
    assert.ok(knownFeatures(file))
    writeFileSync(join(modules, 'ngx_http_lua_module.so'), '')
    utimesSync(modules, 1, 1) // not in the same second
    assert.equal(knownFeatures(file), undefined)
  })

  it('knows nothing without a place to record it, or from a damaged record', t => {
    const directory = makeDirectory(t)
    rememberFeatures(join(directory, 'missing/nginx.json'), features, undefined)
    const file = join(directory, 'nginx.json')
    for (const text of ['', '{', 'null', '{"files": "/usr/sbin/nginx"}']) {
      writeFileSync(file, text)
      assert.equal(knownFeatures(file), undefined, text)
    }
  })
})
