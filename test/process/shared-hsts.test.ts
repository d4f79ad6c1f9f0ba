// needs: redis-server
// before a release: half a minute of a core
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { makeIssuedCertificate } from '../make-issued-certificate.ts'
import { type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { startRedis } from './redis-server.ts'

const header = 'strict-transport-security'
const minutesMs = 300_000
const record = 'monohull:{state}:record:hsts'

interface Options {
  store: string
  /** Progress in its state directory. */
  kept?: { stage: number; since: number }
}

async function start(t: TestContext, { store, kept }: Options): Promise<Monohull> {
  const text = `https: on
tls: { hsts: true }
server_names: [localhost]
routes: [{ path: /, response: { status: 200, body: ok } }]
shared_state: { url: "${store}" }
`
  const folder = temporaryFolder(t, { 'monohull.yaml': text })
  makeIssuedCertificate(join(folder, 'certs'), 'localhost', join(folder, 'ca.pem'))
  if (kept) {
    mkdirSync(join(folder, 'state'))
    writeFileSync(join(folder, 'state/hsts.json'), JSON.stringify(kept))
  }
  const monohull = startMonohull(t, { folder, env: { MONOHULL_WORKERS: undefined } })
  await monohull.serving()
  return monohull
}

const told = async (monohull: Monohull) => (await monohull.request({ headers: { host: 'localhost' } })).headers[header]
const keptBy = ({ folder }: Monohull) => JSON.parse(readFileSync(join(folder, 'state/hsts.json'), 'utf8'))

it('instances with one shared_state agree on the stage of HSTS and on its start, also new ones and without Redis', async t => {
  const redis = await startRedis(t, '--appendonly', 'yes', '--appendfsync', 'always')
  const { store } = redis
  const since = Date.now()
  const one = await start(t, { store, kept: { stage: 0, since } })
  const stored = async () => JSON.parse((await redis.cli('hget', record, 'value')) || '{}')
  await until('the record', async () => (await stored()).since === since, { details: one.output })
  // it would begin now, were it alone
  const two = await start(t, { store })
  await until('five minutes', async () => (await told(two)) === 'max-age=300', { details: two.output })
  assert.equal(await told(one), 'max-age=300')
  assert.equal(keptBy(two).since, since)

  // the stage has lasted for its time
  const over = { stage: 0, since: since - minutesMs, trustedAt: since }
  await redis.cli('hset', record, 'value', JSON.stringify(over))
  for (const each of [one, two]) await until('a week', async () => (await told(each)) === 'max-age=604800')
  await until('one start', async () => {
    const all = [await stored(), keptBy(one), keptBy(two)]
    return all.every(({ stage, since: begun }) => stage === 1 && begun === all[0].since)
  })
  const third = await start(t, { store })
  await until('a week', async () => (await told(third)) === 'max-age=604800', { details: third.output })
  // not a shorter time, not even at first
  assert.doesNotMatch(third.output(), /HSTS changed header="?max-age=300/)

  await redis.kill()
  const last = await start(t, { store })
  assert.deepEqual([await told(one), await told(last)], ['max-age=604800', undefined])
  await redis.start('--appendonly', 'yes', '--appendfsync', 'always')
  await until('a week', async () => (await told(last)) === 'max-age=604800', { details: last.output })
})
