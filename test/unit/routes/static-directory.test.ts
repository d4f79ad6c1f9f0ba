import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { inspectDirectory } from '../../../supervisor/routes/adapters/static-directory.ts'
import { shortcutsOf } from '../../../supervisor/routes/static-directory.ts'

function folderWith(t: TestContext, names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-folder-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), '')
  }
  return folder
}

const nothing = { gzip: false, brotli: false, links: false, writable: false }
const everything = { gzip: true, brotli: true, links: true, writable: true }
/** Of nobody here. */
const program = 54321

async function contentOf(folder: string, programUids = [program]) {
  return (await inspectDirectory(folder, programUids)).content
}

describe('adapters/static-folder', () => {
  const cases: [string, string[], typeof nothing][] = [
    ['no compressed file', ['index.html', 'assets/app.js', 'gz', 'br/readme'], nothing],
    ['a .gz far below', ['index.html', 'a/b/c/app.js.gz'], { ...nothing, gzip: true }],
    ['a .br', ['app.js', 'app.js.br'], { ...nothing, brotli: true }],
    ['one of each', ['app.js', 'app.js.br', 'app.js.gz'], { ...nothing, gzip: true, brotli: true }],
    ['compressed files that are nobody’s', ['.git/objects/pack.gz', 'app.js'], nothing],
    ['one below .well-known', ['.well-known/keys.json.gz'], { ...nothing, gzip: true }],
  ]
  for (const [what, names, expected] of cases) {
    it(`finds ${what}`, async t => {
      assert.deepEqual(await contentOf(folderWith(t, names)), expected)
    })
  }

  it('sees symbolic links, and follows none', async t => {
    const folder = folderWith(t, ['index.html'])
    symlinkSync(folderWith(t, ['app.js.gz']), join(folder, 'elsewhere'))
    assert.deepEqual(await contentOf(folder), { ...nothing, links: true })
  })

  it('takes a link for the folder itself', async t => {
    const folder = join(folderWith(t, []), 'current')
    symlinkSync(folderWith(t, ['app.js.br']), folder)
    assert.deepEqual(await contentOf(folder), { ...nothing, brotli: true })
  })

  it('expects compressed files among very many', async t => {
    const names = Array.from({ length: 2001 }, (_, index) => `${index}.html`)
    assert.deepEqual(await contentOf(folderWith(t, names)), everything)
  })

  it('expects them where it cannot look', async t => {
    const folder = folderWith(t, ['file'])
    for (const name of ['file', 'missing']) assert.deepEqual(await contentOf(join(folder, name)), everything)
  })

  it('tells of a folder far below into which others may write', async t => {
    const folder = folderWith(t, ['a/b/index.html'])
    for (const [mode, writable] of [
      [0o755, false],
      [0o775, true],
      [0o757, true],
    ] as const) {
      chmodSync(join(folder, 'a/b'), mode)
      assert.deepEqual(await contentOf(folder), { ...nothing, writable })
    }
  })

  it('takes a folder of a program’s user, and any for a program of root, for writable', async t => {
    const folder = folderWith(t, ['index.html'])
    for (const uids of [
      [program, process.getuid?.() ?? 0],
      [program, 0],
    ])
      assert.deepEqual(await contentOf(folder, uids), { ...nothing, writable: true })
  })
})

describe('domain/static-folder', () => {
  const found = (
    given: Partial<typeof nothing>,
    { fileSystem = 'overlay', followsLinks = false, isExact = false } = {},
  ) => shortcutsOf({ content: { ...nothing, ...given }, fileSystem }, { followsLinks, isExact })
  const inLayer = { looksForGzip: false, looksForBrotli: false, looksForLinks: true, keepsOpen: 'a second' }

  it('spares what there is none of', () => {
    assert.deepEqual(found({}), inLayer)
    assert.deepEqual(found({ gzip: true }), { ...inLayer, looksForGzip: true })
    assert.deepEqual(found({ brotli: true }), { ...inLayer, looksForBrotli: true })
  })

  it('looks for no links on a disk where there are none and nobody can put any', () => {
    const disk = { ...inLayer, looksForLinks: false, keepsOpen: 'each request' }
    assert.deepEqual(found({}, { fileSystem: 'ext4' }), disk)
    for (const given of [{ links: true }, { writable: true }])
      assert.deepEqual(found(given, { fileSystem: 'ext4' }), { ...disk, looksForLinks: true, keepsOpen: 'never' })
  })

  it('looks for links where the path may be a hidden one', () =>
    assert.equal(found({}, { fileSystem: 'ext4', isExact: true }).looksForLinks, true))

  for (const fileSystem of ['nfs4', 'fuse.grpcfuse', 'fakeowner', '9p'])
    it(`does not take the word of ${fileSystem} for who may write`, () =>
      assert.deepEqual(found({}, { fileSystem }), { ...inLayer, keepsOpen: 'never' }))

  it('keeps no file open that a link may lead to', () => {
    for (const fileSystem of ['overlay', 'ext4']) {
      const { looksForLinks, keepsOpen } = found({}, { fileSystem, followsLinks: true })
      assert.deepEqual([looksForLinks, keepsOpen], [false, 'never'])
    }
  })

  it('looks for everything behind links that are followed', () => {
    const { looksForGzip, looksForBrotli } = found({ links: true }, { followsLinks: true })
    assert.deepEqual([looksForGzip, looksForBrotli], [true, true])
    assert.equal(found({ links: true }).looksForGzip, false)
  })

  it('spares nothing of a folder that nothing is known of', () => {
    const followed = (followsLinks: boolean) => ({ followsLinks, isExact: false })
    const unknown = { looksForGzip: true, looksForBrotli: true, looksForLinks: true, keepsOpen: 'never' }
    assert.deepEqual(shortcutsOf(undefined, followed(false)), unknown)
    assert.deepEqual(shortcutsOf(undefined, followed(true)), { ...unknown, looksForLinks: false })
    assert.equal(shortcutsOf({ content: nothing, fileSystem: undefined }, followed(false)).keepsOpen, 'never')
  })
})
