import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import { createChallengeFiles } from '../../../supervisor/certificates/acme/adapters/challenge-files.ts'
import { createNeighbours } from '../../../supervisor/certificates/acme/adapters/neighbours.ts'
import type { AcmeSettings } from '../../../supervisor/certificates/acme/plan.ts'
import { createAcme } from '../../../supervisor/certificates/acme/service.ts'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { temporaryFolder } from '../../process/monohull.ts'
import { createHandClock } from '../hand-clock.ts'
import { createFakeAuthority, createFakeKeys, createFakeStore } from './fake-authority.ts'

const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

function meet(t: TestContext) {
  const directory = join(temporaryFolder(t), 'shared')
  const ids = (name: string) => join(directory, '..', name)
  const [one, other] = [createNeighbours(directory, ids('1')), createNeighbours(directory, ids('2'))]
  for (const each of [one, other, one]) each.beat()
  return { directory, one, other }
}

/** As if an instance had been silent for a minute. */
function silence(directory: string): void {
  const then = new Date(Date.now() - 60_000)
  for (const name of readdirSync(join(directory, 'instances')))
    utimesSync(join(directory, 'instances', name), then, then)
}

describe('certificates/acme: instances with one state directory', () => {
  it('know of each other while they live', t => {
    const { one, other } = meet(t)
    assert.deepEqual([one.exist(), other.exist()], [true, true])
    other.close()
    one.beat()
    assert.equal(one.exist(), false)
  })

  it('claim a name one at a time, also the claim of one that is gone without a word', t => {
    const { directory, one, other } = meet(t)
    const claim = one.claim({ name: '*.a.test' })
    assert.ok(claim)
    assert.equal(other.claim({ name: '*.a.test' }), undefined)
    assert.ok(other.claim({ name: 'b.test' }))
    claim.release()
    const second = other.claim({ name: '*.a.test' })
    assert.ok(second)
    assert.equal(one.claim({ name: '*.a.test' }), undefined)
    silence(directory)
    assert.ok(one.claim({ name: '*.a.test' }))
    second.release()
    other.beat()
    assert.equal(other.claim({ name: '*.a.test' }), undefined, 'the claim of one is not released by the other')
  })

  it('find their own claims again after a kill, at once', t => {
    const { directory, one, other } = meet(t)
    assert.ok(one.claim({ name: 'a.test' }))
    const again = createNeighbours(directory, join(directory, '..', '1'))
    assert.equal(other.claim({ name: 'a.test' }), undefined)
    assert.ok(again.claim({ name: 'a.test' }))
  })

  it('claim everything where nothing can be written', t => {
    const folder = temporaryFolder(t, { file: '' })
    const alone = createNeighbours(join(folder, 'file/shared'), join(folder, 'file/id'))
    alone.beat()
    assert.equal(alone.exist(), false)
    assert.ok(alone.claim({ name: 'a.test' }))
    alone.share('token', 'proof')
    assert.equal(alone.shared().size, 0)
    alone.close()
  })

  it('serve the challenges of each other, and wait until the others do', async t => {
    const { directory, one, other } = meet(t)
    const { clock, advance } = createHandClock()
    const { signal } = new AbortController()
    const [first, second] = [join(directory, '1'), join(directory, '2')]
    const files = createChallengeFiles(first, { clock, log, responses: one, neighbours: one, signal })
    const others = createChallengeFiles(second, { clock, log, responses: other, neighbours: other, signal })
    let isPublished = false
    const published = files.publish('abc', 'abc.proof').then(() => {
      isPublished = true
    })
    await advance(900)
    assert.equal(isPublished, false)
    await advance(600)
    await published
    assert.equal(readFileSync(join(second, 'abc'), 'utf8'), 'abc.proof')
    // a name that is no token is no path either
    writeFileSync(join(directory, 'challenges/a.b'), 'x')
    mkdirSync(join(directory, 'challenges/directory'))
    files.remove('abc')
    await advance(1000)
    assert.deepEqual([existsSync(join(first, 'abc')), readdirSync(second)], [false, []])
    files.close()
    others.close()
  })

  it('order once: the other one takes over the certificate, and its renewals', async t => {
    const { one, other } = meet(t)
    const { clock, advance } = createHandClock()
    const authority = createFakeAuthority(clock)
    const { store } = createFakeStore()
    const served: string[][] = []
    const start = (neighbours: typeof one) => {
      const mine: string[] = []
      served.push(mine)
      return createAcme({
        ...{ client: authority.client, keys: createFakeKeys(), store, clock, log, peers: neighbours },
        solver: { type: 'http-01', present: async () => {}, remove: async () => {} },
        settings: { plans: [{ name: 'a.test', domains: ['a.test'] }], challenge: 'http-01' } as unknown as AcmeSettings,
        signal: new AbortController().signal,
        turns: createTurns({ clock, places: 4, patienceMs: 2000 }),
        random: () => 0,
        preflight: async () => undefined,
        isCovered: () => false,
        async serve(_plan, { certificate }) {
          mine.push(certificate.id)
          return { ok: true, message: '' }
        },
      })
    }
    const both = [start(one), start(other)]
    for (const acme of both) void acme.tick()
    await advance(5000)
    assert.equal(authority.orders.length, 1)
    assert.deepEqual(served, [['a.test#0'], ['a.test#0']])
    void both[1]?.renew('a.test', 'forced')
    await advance(5000)
    for (const acme of both) void acme.tick()
    await advance(1000)
    assert.equal(authority.orders.length, 2)
    assert.deepEqual(served, [
      ['a.test#0', 'a.test#1'],
      ['a.test#0', 'a.test#1'],
    ])
  })
})
