import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { lookAtFolder } from '../../supervisor/adapters/static-folder.ts'
import { shortcutsOf } from '../../supervisor/domain/static-folder.ts'

function folderWith(t: TestContext, names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-folder-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), '')
  }
  return folder
}

const nothing = { gzip: false, brotli: false, links: false }
const everything = { gzip: true, brotli: true, links: true }

describe('adapters/static-folder', () => {
  const cases: [string, string[], typeof nothing][] = [
    ['no compressed file', ['index.html', 'assets/app.js', 'gz', 'br/readme'], nothing],
    ['a .gz far below', ['index.html', 'a/b/c/app.js.gz'], { ...nothing, gzip: true }],
    ['a .br', ['app.js', 'app.js.br'], { ...nothing, brotli: true }],
    ['one of each', ['app.js', 'app.js.br', 'app.js.gz'], everything],
    ['compressed files that are nobody’s', ['.git/objects/pack.gz', 'app.js'], nothing],
    ['one below .well-known', ['.well-known/keys.json.gz'], { ...nothing, gzip: true }],
  ]
  for (const [what, names, expected] of cases) {
    it(`finds ${what}`, async t => {
      assert.deepEqual((await lookAtFolder(folderWith(t, names))).precompressed, expected)
    })
  }

  it('sees symbolic links, and follows none', async t => {
    const folder = folderWith(t, ['index.html'])
    symlinkSync(folderWith(t, ['app.js.gz']), join(folder, 'elsewhere'))
    assert.deepEqual((await lookAtFolder(folder)).precompressed, { ...nothing, links: true })
  })

  it('takes a link for the folder itself', async t => {
    const folder = join(folderWith(t, []), 'current')
    symlinkSync(folderWith(t, ['app.js.br']), folder)
    assert.deepEqual((await lookAtFolder(folder)).precompressed, { ...nothing, brotli: true })
  })

  it('expects compressed files among very many', async t => {
    const names = Array.from({ length: 2001 }, (_, index) => `${index}.html`)
    assert.deepEqual((await lookAtFolder(folderWith(t, names))).precompressed, everything)
  })

  it('expects them where it cannot look', async t => {
    const folder = folderWith(t, ['file'])
    for (const name of ['file', 'missing'])
      assert.deepEqual(await lookAtFolder(join(folder, name)), { precompressed: everything, isInOwnLayer: false })
  })
})

describe('domain/static-folder', () => {
  const facts = { precompressed: nothing, isInOwnLayer: true }
  const found = (given: Partial<typeof nothing>, followsLinks = false) =>
    shortcutsOf({ ...facts, precompressed: { ...nothing, ...given } }, { followsLinks })

  it('spares what there is none of', () => {
    assert.deepEqual(found({}), { looksForGzip: false, looksForBrotli: false, keepsOpen: true })
    assert.deepEqual(found({ gzip: true }), { looksForGzip: true, looksForBrotli: false, keepsOpen: true })
    assert.deepEqual(found({ brotli: true }), { looksForGzip: false, looksForBrotli: true, keepsOpen: true })
  })

  it('keeps no file open that a link may lead to', () => assert.equal(found({}, true).keepsOpen, false))

  it('looks for everything behind links that are followed', () => {
    assert.deepEqual(found({ links: true }, true), { looksForGzip: true, looksForBrotli: true, keepsOpen: false })
    assert.equal(found({ links: true }).looksForGzip, false)
  })

  it('spares nothing of a folder outside the layer, or one that nothing is known of', () => {
    assert.equal(shortcutsOf({ ...facts, isInOwnLayer: false }, { followsLinks: false }).keepsOpen, false)
    const unknown = shortcutsOf(undefined, { followsLinks: false })
    assert.deepEqual(unknown, { looksForGzip: true, looksForBrotli: true, keepsOpen: false })
  })
})
