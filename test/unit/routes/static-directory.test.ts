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

describe('routes/adapters/static-directory', () => {
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

  it('finds symbolic links without following them', async t => {
    const folder = folderWith(t, ['index.html'])
    symlinkSync(folderWith(t, ['app.js.gz']), join(folder, 'elsewhere'))
    assert.deepEqual(await contentOf(folder), { ...nothing, links: true })
  })

  it('follows a link to the directory itself', async t => {
    const folder = join(folderWith(t, []), 'current')
    symlinkSync(folderWith(t, ['app.js.br']), folder)
    assert.deepEqual(await contentOf(folder), { ...nothing, brotli: true })
  })

  it('assumes compressed files in a very large directory', async t => {
    const names = Array.from({ length: 2001 }, (_, index) => `${index}.html`)
    assert.deepEqual(await contentOf(folderWith(t, names)), everything)
  })

  it('assumes them in an unreadable directory', async t => {
    const folder = folderWith(t, ['file'])
    for (const name of ['file', 'missing']) assert.deepEqual(await contentOf(join(folder, name)), everything)
  })

  it('finds a deep directory that others may write to', async t => {
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

  it('treats directories of a program’s user as writable, and all directories if a program runs as root', async t => {
    const folder = folderWith(t, ['index.html'])
    for (const uids of [
      [program, process.getuid?.() ?? 0],
      [program, 0],
    ])
      assert.deepEqual(await contentOf(folder, uids), { ...nothing, writable: true })
  })
})

describe('routes/static-directory', () => {
  const found = (
    given: Partial<typeof nothing>,
    { fileSystem = 'overlay', followsLinks = false, isExact = false } = {},
  ) => shortcutsOf({ content: { ...nothing, ...given }, fileSystem }, { followsLinks, isExact })
  const inLayer = { looksForGzip: false, looksForBrotli: false, looksForLinks: true, keepsOpen: 'a second' }

  it('skips lookups for files that do not exist', () => {
    assert.deepEqual(found({}), inLayer)
    assert.deepEqual(found({ gzip: true }), { ...inLayer, looksForGzip: true })
    assert.deepEqual(found({ brotli: true }), { ...inLayer, looksForBrotli: true })
  })

  it('skips the check for links on a disk without links where no one can create one', () => {
    const disk = { ...inLayer, looksForLinks: false, keepsOpen: 'each request' }
    assert.deepEqual(found({}, { fileSystem: 'ext4' }), disk)
    for (const given of [{ links: true }, { writable: true }])
      assert.deepEqual(found(given, { fileSystem: 'ext4' }), { ...disk, looksForLinks: true, keepsOpen: 'never' })
  })

  it('checks for links if the path may be hidden', () =>
    assert.equal(found({}, { fileSystem: 'ext4', isExact: true }).looksForLinks, true))

  for (const fileSystem of ['nfs4', 'fuse.grpcfuse', 'fakeowner', '9p'])
    it(`does not trust the modes of ${fileSystem}`, () =>
      assert.deepEqual(found({}, { fileSystem }), { ...inLayer, keepsOpen: 'never' }))

  it('keeps no file open that a link may point to', () => {
    for (const fileSystem of ['overlay', 'ext4']) {
      const { looksForLinks, keepsOpen } = found({}, { fileSystem, followsLinks: true })
      assert.deepEqual([looksForLinks, keepsOpen], [false, 'never'])
    }
  })

  it('makes every lookup behind followed links', () => {
    const { looksForGzip, looksForBrotli } = found({ links: true }, { followsLinks: true })
    assert.deepEqual([looksForGzip, looksForBrotli], [true, true])
    assert.equal(found({ links: true }).looksForGzip, false)
  })

  it('skips nothing for an unknown directory', () => {
    const followed = (followsLinks: boolean) => ({ followsLinks, isExact: false })
    const unknown = { looksForGzip: true, looksForBrotli: true, looksForLinks: true, keepsOpen: 'never' }
    assert.deepEqual(shortcutsOf(undefined, followed(false)), unknown)
    assert.deepEqual(shortcutsOf(undefined, followed(true)), { ...unknown, looksForLinks: false })
    assert.equal(shortcutsOf({ content: nothing, fileSystem: undefined }, followed(false)).keepsOpen, 'never')
  })
})
