import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { keepAsking, main, readStore, setRoute, shop, startDynamic, storeOf, tell, who } from './dynamic-monohull.ts'
import { type Monohull, startMonohull, until } from './monohull.ts'

/** For what the supervisor does when it looks at the file. */
const details = (monohull: Monohull) => ({ details: () => monohull.output().slice(-3000) })

/** As if the time that an answer counts had passed for every answer from now on: written into what nginx runs with. */
async function makeAnswersStale(monohull: Monohull): Promise<void> {
  const module = join(monohull.folder, 'run/nginx/current/lua/monohull/known_hosts.lua')
  const text = readFileSync(module, 'utf8')
  assert.match(text, /^local fresh_seconds = 30$/m)
  writeFileSync(module, text.replace('fresh_seconds = 30', 'fresh_seconds = -1'))
  const before = childrenOf(monohull.nginx())
  process.kill(monohull.nginx(), 'SIGHUP')
  await until('other nginx workers', () => {
    const now = childrenOf(monohull.nginx())
    return now.length > 0 && now.every(pid => !before.includes(pid))
  })
}

describe('dynamic routes, when', () => {
  it('the supervisor stands still: known hosts serve on, however old their answer is, unknown ones get 503', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    monohull.signal('SIGSTOP')
    assert.deepEqual([await who(monohull), await who(monohull, 'new.example.com')], ['web', '503'])
    monohull.signal('SIGCONT')
    assert.equal(await who(monohull, 'new.example.com'), '403')

    await makeAnswersStale(monohull)
    await setRoute(monohull, 'other')
    monohull.signal('SIGSTOP')
    const load = keepAsking(t, monohull)
    await until('a hundred answers', () => (load.answers.get('other') ?? 0) >= 100)
    assert.deepEqual(await load.end(), ['other'])
    assert.equal(await who(monohull, 'newer.example.com'), '503')
    assert.doesNotMatch(monohull.output(), /lua tcp socket/)
    // nothing tells nginx of this one
    writeFileSync(storeOf(monohull), `{"${shop}": "web"}`)
    monohull.signal('SIGCONT')
    await until('the other app', async () => (await who(monohull)) === 'web', details(monohull))
  })

  it("nginx's master is killed: the next one finds them again, and takes changes", async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    const load = keepAsking(t, monohull)
    const master = monohull.nginx()
    process.kill(master, 'SIGKILL')
    await monohull.seen(/nginx is back/)
    assert.notEqual(monohull.nginx(), master)
    // the old workers are still there, and know nothing of what the new ones are told
    for (const target of ['other', 'web', 'other', 'web', 'other']) {
      await setRoute(monohull, target)
      for (let count = 0; count < 10; count++) assert.equal(await who(monohull), target)
    }
    assert.deepEqual(await load.end(), ['other', 'web'])
  })

  it('the file is changed by hand: what is wrong in it is left out and named, the rest serves', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    assert.equal(await who(monohull, 'byhand.example.com'), '403')
    writeFileSync(
      storeOf(monohull),
      `{"byhand.example.com": "other", "x": "web", "y.test": "unix:/x", "z.test": "gone"}`,
    )
    await until('the new route', async () => (await who(monohull, 'byhand.example.com')) === 'other', details(monohull))
    assert.equal(await who(monohull), '403')
    assert.deepEqual([await who(monohull, 'y.test'), await who(monohull, 'z.test')], ['403', '503'])
    await monohull.seen(/dynamic routes rejected .*count=2 .*x: is a single word; y\.test/)
    await monohull.seen(/dynamic routes do not work .*z\.test: gone is not an app/)
    await setRoute(monohull, 'web')
    assert.deepEqual(Object.keys(JSON.parse(readStore(monohull))), [
      'byhand.example.com',
      shop,
      'x',
      'y.test',
      'z.test',
    ])
  })

  it('the file is damaged: what was read serves on, nothing is written over it, and its repair is taken up', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    writeFileSync(storeOf(monohull), '{ oops')
    await monohull.seen(/cannot read dynamic routes .*the last 1 stay in effect/)
    assert.equal(await who(monohull), 'web')
    const refused = await tell(t, monohull, 'routes', 'set', 'new.example.com', 'web')
    assert.equal(refused.code, 1)
    assert.match(refused.output, /cannot write \S+routes\.json: .*\n {2}fix: correct \S+routes\.json/)
    assert.equal(readStore(monohull), '{ oops')
    assert.match((await tell(t, monohull, 'status')).output, /^dynamic routes: 1; the store cannot be read: /m)
    writeFileSync(storeOf(monohull), `{"${shop}": "other"}`)
    await until('the repaired route', async () => (await who(monohull)) === 'other', details(monohull))
  })

  it('the file is damaged from the start: 503 and not 403, until it is fixed', async t => {
    const monohull = await startDynamic(t, { files: { 'state/routes.json': 'oops' } })
    assert.equal(await who(monohull), '503')
    assert.equal(await who(monohull, main), 'web')
    rmSync(storeOf(monohull))
    mkdirSync(join(monohull.folder, 'state'), { recursive: true })
    writeFileSync(storeOf(monohull), `{"${shop}": "web"}`)
    await until('the route', async () => (await who(monohull)) === 'web', details(monohull))
  })

  it('they are not set: the commands say so', async t => {
    const monohull = startMonohull(t)
    await monohull.serving()
    for (const words of [['list'], ['set', shop, 'app'], ['remove', shop]]) {
      const { code, output } = await tell(t, monohull, 'routes', ...words)
      assert.equal(code, 1)
      assert.match(output, /cannot (read|change) routes: .*\n {2}fix: set dynamic_routes/)
    }
  })
})
