import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { withFileLock } from '../../../supervisor/base/adapters/file-lock.ts'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type { Log } from '../../../supervisor/base/log.ts'
import { createAccountStore } from '../../../supervisor/certificates/acme/adapters/account.ts'
import { createChallengeFiles } from '../../../supervisor/certificates/acme/adapters/challenge-files.ts'
import { keyMaker } from '../../../supervisor/certificates/acme/adapters/key-maker.ts'
import { createNeighbours } from '../../../supervisor/certificates/acme/adapters/neighbours.ts'
import type { AcmePlan, AcmeSettings } from '../../../supervisor/certificates/acme/plan.ts'
import { createAcme } from '../../../supervisor/certificates/acme/service.ts'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { temporaryFolder } from '../../process/monohull.ts'
import { createHandClock } from '../hand-clock.ts'
import { createFakeAuthority, createFakeKeys, createFakeStore } from './fake-authority.ts'
import type { LocalStart } from './local-start.ts'

const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

describe('certificates: several first starts at once with one state directory', () => {
  it('share one local CA and one local certificate', async t => {
    const folder = temporaryFolder(t)
    const rounds = 6
    const names = ['a', 'b', 'c']
    const ready = new Int32Array(new SharedArrayBuffer(4))
    const found = await Promise.all(
      names.map(async name => {
        const workerData: LocalStart = { folder, name, rounds, threads: names.length, ready }
        const [ids] = await once(new Worker(join(import.meta.dirname, 'local-start.ts'), { workerData }), 'message')
        return ids as string[]
      }),
    )
    for (let round = 0; round < rounds; round++) {
      assert.equal(new Set(found.map(ids => ids[round])).size, 1, found.map(ids => ids[round]).join('; '))
      const files = ['local-ca.crt', 'local-ca.key', 'local.crt', 'local.key']
      assert.deepEqual(readdirSync(join(folder, String(round))).sort(), files)
      for (const name of ['local', 'local-ca']) {
        const read = (end: string) => readFileSync(join(folder, String(round), `${name}.${end}`))
        assert.ok(new X509Certificate(read('crt')).checkPrivateKey(createPrivateKey(read('key'))), name)
      }
    }
  })

  it('share one account key, also where the present one is damaged or refused', async t => {
    const folder = temporaryFolder(t)
    const open = () => createAccountStore(folder, 'https://ca.test/dir', { keys: keyMaker, clock: systemClock, log })
    const stores = [open(), open(), open()]
    const keys = async () => [...new Set(await Promise.all(stores.map(store => store.key())))]
    const [first = '', ...others] = await keys()
    assert.deepEqual(others, [])
    const path = join(folder, readdirSync(folder)[0] ?? '', 'account.key')
    writeFileSync(path, first.slice(0, 60))
    const [second, ...different] = await keys()
    assert.deepEqual(different, [])
    for (const store of stores) store.retireKey('the account is deactivated')
    const third = await keys()
    assert.equal(third.length, 1)
    for (const store of stores) store.retireKey('again')
    assert.notEqual(second, third[0])
    assert.equal(readFileSync(`${path}.refused`, 'utf8'), third[0])
  })

  it('an instance that sees the refusal late keeps the key of the one that was faster', async t => {
    const folder = temporaryFolder(t)
    const open = () => createAccountStore(folder, 'https://ca.test/dir', { keys: keyMaker, clock: systemClock, log })
    const [one, other] = [open(), open()]
    await Promise.all([one.key(), other.key()])
    one.retireKey('deactivated')
    const next = await one.key()
    other.retireKey('deactivated')
    assert.equal(await other.key(), next)
  })

  it('a lock left behind by a kill is taken over, a directory in its place only delays', async t => {
    const folder = temporaryFolder(t, { lock: 'gone' })
    const { clock, advance } = createHandClock()
    const order: string[] = []
    const all = ['a', 'b'].map(name => withFileLock(join(folder, 'lock'), clock, () => void order.push(name)))
    await advance(4000)
    assert.deepEqual(order, [])
    await advance(3000)
    await Promise.all(all)
    assert.deepEqual(order.sort(), ['a', 'b'])
    assert.deepEqual(readdirSync(folder), [])
    mkdirSync(join(folder, 'lock'))
    const done = withFileLock(join(folder, 'lock'), clock, () => 'done')
    await advance(20_000)
    assert.equal(await done, 'done')
    assert.equal(await withFileLock(join(folder, 'lock/none/\0'), clock, () => 'anyway'), 'anyway')
  })
})

describe('certificates/acme: an instance that starts beside another', () => {
  const open = (t: TestContext) => {
    const directory = join(temporaryFolder(t), 'shared')
    return { directory, meet: (name: string) => createNeighbours(directory, join(directory, '..', name)) }
  }

  it('is waited for by a challenge of the other, and serves at once what is already published', async t => {
    const { directory, meet } = open(t)
    const { clock, advance } = createHandClock()
    const { signal } = new AbortController()
    const one = meet('1')
    one.beat()
    const files = createChallengeFiles(join(directory, 'a'), { clock, log, responses: one, neighbours: one, signal })
    await files.publish('early', 'proof')
    const other = meet('2')
    other.beat()
    const others = createChallengeFiles(join(directory, 'b'), {
      clock,
      log,
      responses: other,
      neighbours: other,
      signal,
    })
    assert.deepEqual(readdirSync(join(directory, 'b')), ['early'])
    const published = files.publish('late', 'proof').then(() => readdirSync(join(directory, 'b')).sort())
    await advance(1500)
    assert.deepEqual(await published, ['early', 'late'])
    files.close()
    others.close()
  })

  it('uses the certificate of one that has stopped since, and places no order', async t => {
    const { meet } = open(t)
    const { clock, advance } = createHandClock()
    const authority = createFakeAuthority(clock)
    const { store } = createFakeStore()
    const served: string[] = []
    const begin = (neighbours: ReturnType<typeof meet>) =>
      createAcme({
        ...{ client: authority.client, keys: createFakeKeys(), store, clock, log, peers: neighbours },
        solver: { type: 'http-01', present: async () => {}, remove: async () => {} },
        settings: {
          plans: [{ name: 'a.test', domains: ['a.test'] } satisfies AcmePlan],
          challenge: 'http-01',
        } as unknown as AcmeSettings,
        signal: new AbortController().signal,
        turns: createTurns({ clock, places: 4, patienceMs: 2000 }),
        random: () => 0,
        preflight: async () => undefined,
        isCovered: () => false,
        async serve(_plan, { certificate }) {
          served.push(certificate.id)
          return { ok: true, message: '' }
        },
      })
    const [one, other, third] = [meet('1'), meet('2'), meet('3')]
    third.beat()
    const claim = third.claim({ name: 'a.test' })
    void begin(other).tick() // waits for the third
    await advance(400)
    claim?.release()
    void begin(one).renew('a.test', 'forced')
    await advance(10)
    assert.deepEqual(served, ['a.test#0'])
    for (const each of [one, third]) each.close()
    await advance(5000)
    assert.equal(authority.orders.length, 1)
    assert.deepEqual(served, ['a.test#0', 'a.test#0'])
  })
})
