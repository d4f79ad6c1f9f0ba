import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { boundBodies, type SpoolMedium, spoolOf } from '../../../supervisor/front/spool.ts'
import { noteOfBodies } from '../../../supervisor/front/spool-note.ts'
import { openSpoolWatch } from '../../../supervisor/front/spool-watch.ts'
import { plainFront } from '../../front-rules.ts'
import { routeTo, toApp } from '../../routes.ts'
import { createHandClock } from '../hand-clock.ts'

const mib = 2 ** 20
const gib = 2 ** 30
const memory: SpoolMedium = { directory: '/run/x', isMemory: true, bytes: 8 * gib, memoryBytes: 256 * mib }
const disk: SpoolMedium = { directory: '/tmp/x', isMemory: false, bytes: 64 * gib, memoryBytes: 8 * gib }
const usual = { isShort: false, hasLua: true, connections: 8192 }

describe('spoolOf', () => {
  it('stores no response in memory, and bodies in a quarter of it', () => {
    const { responseBytes, totalBodyBytes, storesBodies } = spoolOf(memory, usual)
    assert.deepEqual([responseBytes, totalBodyBytes, storesBodies], [0, 64 * mib, true])
  })

  it('leaves half of a small file system in memory to others', () => {
    assert.equal(spoolOf({ ...memory, bytes: 64 * mib }, usual).totalBodyBytes, 32 * mib)
    assert.equal(spoolOf({ ...memory, bytes: 100 * 1024 }, usual).totalBodyBytes, mib)
  })

  it('stores nothing in memory if nginx cannot count bodies', () => {
    const { storesBodies, totalBodyBytes } = spoolOf(memory, { ...usual, hasLua: false })
    assert.deepEqual([storesBodies, totalBodyBytes], [false, undefined])
  })

  it('gives one response a thousandth of a disk, from 1 to 256 MB', () => {
    const sizes = [100 * mib, 64 * gib, 4096 * gib].map(bytes => spoolOf({ ...disk, bytes }, usual).responseBytes)
    assert.deepEqual(sizes, [mib, 64 * mib, 256 * mib])
    assert.equal(spoolOf(disk, usual).totalBodyBytes, undefined)
  })

  it('stores nothing on a medium that is short of space', () => {
    for (const medium of [disk, memory]) {
      const { responseBytes, storesBodies } = spoolOf(medium, { ...usual, isShort: true })
      assert.deepEqual([responseBytes, storesBodies], [0, false])
    }
  })

  it('keeps in memory what all connections together can afford', () => {
    const buffers = [256 * mib, 8 * gib, 128 * gib].map(
      memoryBytes => spoolOf({ ...disk, memoryBytes }, usual).bodyBufferBytes / 1024,
    )
    assert.deepEqual(buffers, [16, 128, 128])
  })
})

describe('boundBodies', () => {
  const spool = spoolOf(memory, usual)
  const bound = (front: string | undefined, own?: string, storesBodies = true) => {
    const routes = [routeTo(toApp('app'), { rules: { bodySize: own } })]
    const limits = { ...plainFront.limits, bodySize: front }
    const result = boundBodies({ limits, routes, spool }, () => storesBodies)
    return [result.limits.bodySize, result.routes[0]?.rules.bodySize]
  }

  it('lowers limits that memory cannot hold, and no others', () => {
    assert.deepEqual(bound('10m'), ['10m', undefined])
    assert.deepEqual(bound(undefined), ['64m', undefined])
    assert.deepEqual(bound('10m', '2g'), ['10m', '64m'])
    assert.deepEqual(bound('10m', '0'), ['10m', '64m'])
    assert.deepEqual(bound('1g', '20m'), ['64m', '20m'])
  })

  it('leaves a route that stores no bodies its limit', () => {
    assert.deepEqual(bound('1g', undefined, false), ['64m', '1g'])
    assert.deepEqual(bound(undefined, undefined, false), ['64m', '0'])
    assert.deepEqual(bound('10m', '2g', false), ['10m', '2g'])
    assert.deepEqual(bound('10m', undefined, false), ['10m', undefined])
  })

  it('changes nothing on a disk', () => {
    const routes = [routeTo(toApp('app'), { rules: { bodySize: '2g' } })]
    const given = { limits: plainFront.limits, routes }
    assert.deepEqual(
      boundBodies({ ...given, spool: spoolOf(disk, usual) }, () => true),
      given,
    )
  })
})

describe('noteOfBodies', () => {
  const note = (medium: SpoolMedium, sizes: string[], requests = 1000) =>
    noteOfBodies({ medium, spool: spoolOf(medium, usual), sizes, requests }) ?? ''

  it('says that bodies within the limits may not fit', () => {
    assert.equal(note(disk, ['10m']), '')
    assert.match(note(disk, ['10m', '1g']), /bodies of up to 1024 MB in 1000 requests .* the 65536 MB of \/tmp\/x/)
    assert.match(note(memory, ['off']), /of any size .* the 64 MB of memory .*temp_dir/)
    assert.equal(note(memory, ['64k']), '')
  })
})

describe('openSpoolWatch', () => {
  it('reports once that space is short, and once that it has doubled', async () => {
    const { clock, advance, waiting } = createHandClock()
    const lines: string[] = []
    const changes: boolean[] = []
    let free: number | undefined = 5 * gib
    const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) })
    const watch = openSpoolWatch({
      clock,
      log,
      medium: () => disk,
      free: () => free,
      onChange: () => changes.push(watch.model().isSpoolShort),
    })
    for (const next of [2 * gib, gib / 2, 1.5 * gib, undefined, 2.5 * gib]) {
      free = next
      await advance(5000)
    }
    assert.deepEqual(changes, [true, false])
    assert.match(lines.join(''), /warn nginx stores no request bodies[\s\S]*set temp_dir[\s\S]*info nginx stores/)
    watch.close()
    assert.equal(waiting(), 0)
  })

  it('knows a full medium from the start', () => {
    const { clock } = createHandClock()
    const log = createLog({ format: 'text', level: 'info', now: () => 0, write: () => {} })
    const watch = openSpoolWatch({ clock, log, medium: () => disk, free: () => 0, onChange: () => {} })
    assert.equal(watch.model().isSpoolShort, true)
    watch.close()
  })
})
