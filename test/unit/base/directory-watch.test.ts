import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { followDirectory, followFile } from '../../../supervisor/base/adapters/directory-events.ts'
import { watchDirectory } from '../../../supervisor/base/directory-watch.ts'
import { createLog } from '../../../supervisor/base/log.ts'
import { createHandClock } from '../hand-clock.ts'

/** A watch of a text, with a kernel that may report its changes. */
function watch({ isFollowed }: { isFollowed: boolean }) {
  const { clock, advance, waiting } = createHandClock()
  const world = { text: 'a', polls: 0, follows: 0, isFollowed, report: () => {} }
  const rests: string[] = []
  const lines: string[] = []
  const watched = watchDirectory({
    clock,
    log: createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) }),
    everyMs: 3000,
    what: 'a text',
    known: 'a',
    async sign() {
      world.polls++
      if (world.text === 'broken') throw new Error('broken')
      return world.text
    },
    async onRest() {
      rests.push(world.text)
    },
    async follow(onChange) {
      if (!world.isFollowed) return undefined
      world.follows++
      world.report = onChange
      return {
        close() {
          world.report = () => {}
        },
      }
    },
  })
  return { world, rests, lines, watched, advance, waiting }
}

describe('base/directory-watch', () => {
  it('polls where the kernel reports nothing, and reports what two polls in a row have seen', async () => {
    const { world, rests, advance } = watch({ isFollowed: false })
    await advance(10_000)
    world.text = 'b'
    await advance(4500)
    assert.deepEqual(rests, ['b'])
    for (const text of ['c', 'd', 'e']) {
      world.text = text
      await advance(1000)
    }
    await advance(5000)
    assert.deepEqual(rests, ['b', 'e'])
  })

  it('is at rest while the kernel reports nothing, and sees a reported change within two seconds', async () => {
    const { world, rests, advance } = watch({ isFollowed: true })
    await advance(3000)
    const polls = world.polls
    await advance(50_000)
    assert.equal(world.polls, polls)
    world.text = 'b'
    for (let event = 0; event < 3; event++) world.report()
    await advance(2000)
    assert.deepEqual(rests, ['b'])
    await advance(2000)
    assert.equal(world.follows, 2, 'the new contents are followed')
    world.text = 'c'
    world.report()
    await advance(2000)
    assert.deepEqual(rests, ['b', 'c'])
  })

  it('finds after a while what the kernel does not see, and follows that', async () => {
    const { world, rests, advance } = watch({ isFollowed: true })
    await advance(5000)
    world.text = 'b'
    await advance(95_000)
    assert.deepEqual([rests, world.follows], [['b'], 2])
  })

  it('begins to follow once that is possible', async () => {
    const { world, rests, advance } = watch({ isFollowed: false })
    await advance(5000)
    world.isFollowed = true
    world.text = 'b'
    await advance(8000)
    assert.deepEqual([rests, world.follows], [['b'], 1])
  })

  it('goes on after an error, and ends', async () => {
    const { world, rests, lines, watched, advance, waiting } = watch({ isFollowed: true })
    await advance(5000)
    world.text = 'broken'
    world.report()
    await advance(1000)
    assert.match(lines.join(''), /cannot check a text for changes/)
    world.text = 'b'
    world.report()
    await advance(70_000)
    assert.deepEqual(rests, ['b'])
    await watched.close()
    assert.equal(waiting(), 0)
  })
})

describe('base/adapters/directory-events', () => {
  function makeDirectory(t: TestContext) {
    const directory = mkdtempSync(join(tmpdir(), 'monohull-events-'))
    t.after(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'certs/..1'), { recursive: true })
    writeFileSync(join(directory, 'certs/..1/tls.crt'), 'one')
    symlinkSync('..1', join(directory, 'certs/..data'))
    symlinkSync('..data/tls.crt', join(directory, 'certs/tls.crt'))
    mkdirSync(join(directory, 'certs/other'))
    writeFileSync(join(directory, 'certs/other/tls.crt'), 'other')
    return { directory, certs: join(directory, 'certs') }
  }

  async function follow(t: TestContext, path: string, start = followDirectory) {
    let notice = () => {}
    const follower = await start(path, () => notice())
    t.after(() => follower?.close())
    /** Settles when the kernel has reported what `change` does. */
    const reports = (change: () => void) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no report')), 5000)
        notice = () => {
          clearTimeout(timer)
          resolve()
        }
        change()
      })
    return { follower, reports }
  }

  it('reports a swapped link, a file that is written, added or removed, also in a directory inside', async t => {
    const { certs } = makeDirectory(t)
    mkdirSync(join(certs, '..2'))
    writeFileSync(join(certs, '..2/tls.crt'), 'two')
    symlinkSync('..2', join(certs, '..new'))
    const { reports } = await follow(t, certs)
    await reports(() => renameSync(join(certs, '..new'), join(certs, '..data')))
    await reports(() => writeFileSync(join(certs, 'other/tls.crt'), 'again'))
    await reports(() => writeFileSync(join(certs, '..2/tls.crt'), 'in place'))
    await reports(() => rmSync(join(certs, 'other/tls.crt')))
    await reports(() => writeFileSync(join(certs, 'other/new.crt'), ''))
  })

  it('is refused where something elsewhere would change unseen', async t => {
    const { directory, certs } = makeDirectory(t)
    const isRefused = async (path = certs) => (await follow(t, path)).follower === undefined
    assert.equal(await isRefused(), false)
    assert.equal(await isRefused(`${certs}/`), false)
    assert.equal(await isRefused(join(directory, 'none')), true, 'it does not exist')
    symlinkSync(certs, join(directory, 'link'))
    assert.equal(await isRefused(join(directory, 'link')), true, 'the link to it may be replaced')
    assert.equal(await isRefused('/proc/self'), true, 'no file system whose changes are reported')
    writeFileSync(join(directory, 'outside.crt'), '')
    for (const [why, make] of [
      ['a link leads out', () => symlinkSync(join(directory, 'outside.crt'), join(certs, 'new'))],
      ['a link leads nowhere', () => symlinkSync('nothing', join(certs, 'new'))],
      ['a file has another name', () => linkSync(join(directory, 'outside.crt'), join(certs, 'new'))],
    ] as const) {
      make()
      assert.equal(await isRefused(), true, why)
      rmSync(join(certs, 'new'))
    }
    for (let number = 0; number < 64; number++) mkdirSync(join(certs, `d${number}`))
    assert.equal(await isRefused(), true, 'too many directories')
  })

  it('reports what happens to a file, and nothing of its neighbours', async t => {
    const { directory, certs } = makeDirectory(t)
    const path = join(certs, 'tls.crt')
    mkdirSync(join(certs, '..2'))
    writeFileSync(join(certs, '..2/tls.crt'), 'two')
    symlinkSync('..2', join(certs, '..new'))
    const { reports } = await follow(t, path, followFile)
    await reports(() => writeFileSync(join(certs, '..1/tls.crt'), 'in place'))
    await reports(() => renameSync(join(certs, '..new'), join(certs, '..data')))
    const plain = join(directory, 'plain')
    writeFileSync(plain, 'one')
    let count = 0
    const follower = await followFile(plain, () => count++)
    t.after(() => follower?.close())
    const { reports: after } = await follow(t, join(certs, 'other/tls.crt'), followFile)
    for (let number = 0; number < 64; number++) mkdirSync(join(directory, `d${number}`))
    writeFileSync(join(directory, 'neighbour'), '')
    await after(() => writeFileSync(join(certs, 'other/tls.crt'), 'later'))
    assert.equal(count, 0)
    const { reports: replaced } = await follow(t, plain, followFile)
    writeFileSync(join(directory, 'new'), 'two')
    await replaced(() => renameSync(join(directory, 'new'), plain))
    assert.ok(count > 0)
  })

  it('does not follow a file that would change unseen', async t => {
    const { directory, certs } = makeDirectory(t)
    const isRefused = async (path: string) => (await follow(t, path, followFile)).follower === undefined
    writeFileSync(join(directory, 'plain'), '')
    assert.equal(await isRefused(join(directory, 'plain')), false)
    assert.equal(await isRefused(join(directory, 'none')), true, 'it does not exist')
    symlinkSync(join(directory, 'plain'), join(certs, 'out'))
    assert.equal(await isRefused(join(certs, 'out')), true, 'a link leads out')
    symlinkSync(certs, join(directory, 'link'))
    assert.equal(await isRefused(join(directory, 'link/tls.crt')), true, 'the link to its directory may be replaced')
    linkSync(join(directory, 'plain'), join(directory, 'second'))
    assert.equal(await isRefused(join(directory, 'plain')), true, 'it has another name')
    assert.equal(await isRefused('/proc/self/comm'), true, 'no file system whose changes are reported')
  })
})
