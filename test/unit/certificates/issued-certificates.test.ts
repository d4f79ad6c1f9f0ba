// needs: openssl
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type { Log } from '../../../supervisor/base/log.ts'
import { certificateStore } from '../../../supervisor/certificates/adapters/store.ts'
import { findServed } from '../../../supervisor/certificates/search.ts'
import { makeCertificate } from '../../make-certificate.ts'
import { temporaryFolder } from '../../process/monohull.ts'

const pair = { chain: 'fullchain.pem', key: 'privkey.pem' }
const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** State directory with certificates of earlier plans: names by their directory. */
function setUp(t: TestContext, left: Record<string, string[]>, clockOffMs = 0) {
  const folder = temporaryFolder(t)
  const kept = join(folder, 'acme')
  for (const [place, [name = '', ...names]] of Object.entries(left))
    makeCertificate(join(kept, place, '0123456789abcdef'), name, { ...pair, names })
  return async (...groups: string[][]) => {
    const plans = groups.map(domains => ({ name: domains[0] ?? '', domains }))
    const settings = {
      certDir: join(folder, 'certs'),
      stateDir: join(folder, 'state'),
      runDir: join(folder, 'run'),
      hostname: 'box',
      names: [],
      isRequired: false,
      acme: { directory: kept, plans },
    }
    const { certificates } = await findServed(settings, {
      store: certificateStore,
      clock: { ...systemClock, now: () => systemClock.now() + clockOffMs },
      log,
      isMountedServed: false,
      isIssuedNeeded: () => false,
    })
    return certificates.map(({ source, certificate }) => [source, ...certificate.names].join(' '))
  }
}

describe('certificates issued by the CA', () => {
  it('are those of the plans', async t => {
    const find = setUp(t, { 'a.test': ['a.test'], 'b.test': ['b.test'], 'old.test': ['old.test'] })
    assert.deepEqual(await find(['a.test'], ['b.test']), ['acme a.test', 'acme b.test'])
  })

  it('stay in use for names of another plan, until it has its own', async t => {
    const find = setUp(t, { 'a.test': ['a.test'], 'b.test': ['b.test'], 'old.test': ['old.test'] })
    assert.deepEqual(await find(['a.test', 'b.test']), ['acme a.test', 'acme b.test'])
    assert.deepEqual(await find(['c.test', 'b.test']), ['acme b.test'])
  })

  it('can be split as they can be combined', async t => {
    const find = setUp(t, { 'a.test': ['a.test', 'b.test'], 'c.test': ['c.test'] })
    assert.deepEqual(await find(['b.test'], ['a.test']), ['acme a.test b.test'])
    assert.deepEqual(await find(['c.test']), ['acme c.test'])
  })

  it('are served although they are not valid yet by the clock, which is behind that of the CA', async t => {
    const find = setUp(t, { 'a.test': ['a.test'] }, -100 * 86_400_000)
    assert.deepEqual(await find(['a.test']), ['acme a.test'])
  })
})
