import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { launcher } from './built.ts'
import {
  defer,
  fixture,
  isolatedEnv,
  type Monohull,
  needsRoot,
  startMonohull,
  temporaryFolder,
  until,
} from './monohull.ts'

const forAMinute = 'header=cache-control:max-age=60'

async function start(t: Parameters<typeof startMonohull>[0], yaml: string, files: Record<string, string> = {}) {
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('answers.cjs')],
    env: { MONOHULL_WORKERS: '1' },
    files: { 'monohull.yaml': `https: off\n${yaml}\n`, ...files },
  })
  await monohull.serving()
  return monohull
}

/** What the cache says of an answer, and which of the app's it is. */
async function cachedAs(monohull: Monohull, path: string, options: Parameters<Monohull['request']>[0] = {}) {
  const { headers } = await monohull.request({ path, ...options })
  return `${headers['x-cache']} ${headers['x-count']}`
}

/** Purges everything. */
function purgeAll(monohull: Monohull) {
  return promisify(execFile)(process.execPath, [launcher, 'cache', 'purge'], { env: isolatedEnv(monohull.folder) })
}

describe('cache', { concurrency: 3 }, () => {
  it('keeps what says so, for anybody, and nothing else', async t => {
    const monohull = await start(t, 'cache: {}')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`), 'MISS 1')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`), 'HIT 1')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`, { method: 'HEAD' }), 'HIT 1')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`, { headers: { host: 'other.example' } }), 'MISS 2')
    const kept = 'HIT 1'
    // nobody gets what was made for one
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`, { headers: { cookie: 'user=1' } }), 'BYPASS 3')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`, { headers: { authorization: 'Bearer x' } }), 'BYPASS 4')
    assert.equal(await cachedAs(monohull, `/a?${forAMinute}`), kept)
    assert.match(await cachedAs(monohull, `/a?${forAMinute}`, { method: 'POST' }), /^undefined 5$/)
    for (const query of ['', 'header=cache-control:private', `${forAMinute}&header=set-cookie:a=b`])
      for (const _ of [1, 2]) assert.match(await cachedAs(monohull, `/b?${query}`), /^MISS /, query)
    assert.equal((await monohull.request({ path: '/healthz' })).headers['x-cache'], undefined)
  })

  it('keeps by ttl what says nothing, by a key of its own, with cookies ignored', async t => {
    const monohull = await start(t, 'cache: { ttl: 1m, key: $host$uri, cookies: ignore }')
    assert.equal(await cachedAs(monohull, '/a?x=1'), 'MISS 1')
    assert.equal(await cachedAs(monohull, '/a?x=2', { headers: { cookie: 'analytics=1' } }), 'HIT 1')
    for (const _ of [1, 2]) assert.match(await cachedAs(monohull, '/missing?status=404'), /^MISS /)
  })

  it('answers with what has run out while it fetches it anew', async t => {
    const monohull = await start(t, 'cache: { stale_while_revalidate: true }')
    const path = '/a?header=cache-control:max-age=1'
    assert.equal(await cachedAs(monohull, path), 'MISS 1')
    await until('the answer to run out', async () => (await cachedAs(monohull, path)) === 'STALE 1')
    await until('the next one', async () => /^(HIT|STALE|UPDATING) [2-9]/.test(await cachedAs(monohull, path)))
  })

  it('is purged by the beginning of a path or wholly, and is not there after a restart', async t => {
    const monohull = await start(t, 'cache: {}')
    const env = isolatedEnv(monohull.folder)
    const purge = async (...words: string[]) =>
      (await promisify(execFile)(process.execPath, [launcher, 'cache', 'purge', ...words], { env })).stdout
    const states = () =>
      Promise.all(
        ['/blog/1', '/blog/2', '/shop'].map(async path =>
          (await cachedAs(monohull, `${path}?${forAMinute}`)).replace(/ .*/, ''),
        ),
      )
    assert.deepEqual(await states(), ['MISS', 'MISS', 'MISS'])
    assert.deepEqual(await states(), ['HIT', 'HIT', 'HIT'])
    assert.match(await purge('/blog'), /2 responses purged/)
    assert.deepEqual(await states(), ['MISS', 'MISS', 'HIT'])
    assert.match(await purge(), /3 responses purged/)
    assert.deepEqual(await states(), ['MISS', 'MISS', 'MISS'])
    monohull.signal('SIGTERM')
    await monohull.exited
    const again = startMonohull(t, { args: ['run', 'node', fixture('answers.cjs')], folder: monohull.folder })
    await again.serving()
    assert.match(await cachedAs(again, `/shop?${forAMinute}`), /^MISS /)
  })

  it('of a route is not there after a restart, not even for a configuration without one until a reload', async t => {
    const yaml = (cache: string) => `https: off\nroutes: [{ app: app${cache} }]\n`
    const files = { 'monohull.yaml': yaml(', cache: {}') }
    const args = ['run', 'node', fixture('answers.cjs')]
    const first = startMonohull(t, { args, files })
    await first.serving()
    assert.deepEqual(await Promise.all([cachedAs(first, `/a?${forAMinute}`)]), ['MISS 1'])
    first.signal('SIGTERM')
    await first.exited
    const second = startMonohull(t, { args, folder: first.folder })
    await second.serving()
    assert.equal(await cachedAs(second, `/a?${forAMinute}`), 'MISS 1')
    second.signal('SIGTERM')
    await second.exited
    writeFileSync(join(first.folder, 'monohull.yaml'), yaml(''))
    const third = startMonohull(t, { args, folder: first.folder })
    await third.serving()
    const from = third.output().length
    writeFileSync(join(first.folder, 'monohull.yaml'), yaml(', cache: {}'))
    third.signal('SIGHUP')
    await third.seen(/reload finished/, from)
    assert.match(await cachedAs(third, `/a?${forAMinute}`), /^MISS /)
  })

  it('outlives a reload, which may set it, change it and take it away', async t => {
    const monohull = await start(t, '')
    const path = `/a?${forAMinute}`
    const reload = async (yaml: string) => {
      const from = monohull.output().length
      writeFileSync(join(monohull.folder, 'monohull.yaml'), `https: off\n${yaml}\n`)
      monohull.signal('SIGHUP')
      await monohull.seen(/reload (finished|abandoned)/, from)
      assert.match(monohull.output().slice(from), /reload finished/)
    }
    assert.match(await cachedAs(monohull, path), /^undefined /)
    await reload('cache: {}')
    assert.match(await cachedAs(monohull, path), /^MISS /)
    await reload('cache: { max_size: 1m }')
    assert.match(await cachedAs(monohull, path), /^HIT /)
    await reload('')
    assert.match(await cachedAs(monohull, path), /^undefined /)
  })

  it('makes room for new answers beyond max_size, of those that nobody asked for longest', async t => {
    const monohull = await start(t, 'cache: { max_size: 1m }')
    const stateOf = async (number: number) =>
      (await cachedAs(monohull, `/${number}?length=100000&${forAMinute}`)).replace(/ .*/, '')
    const count = 40
    for (let number = 0; number < count; number += 1) {
      assert.equal(await stateOf(number), 'MISS')
      // what nginx removes later is partly purged
      if (number === count / 2) assert.match((await purgeAll(monohull)).stdout, /responses purged/)
    }
    const folder = join(monohull.folder, 'run/nginx/cache')
    const bytes = () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map(name => statSync(join(folder, name), { throwIfNoEntry: false }))
        .reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0)
    // nginx looks every ten seconds
    await until('the cache to be within its bound', () => bytes() <= 1 << 20, {
      deadlineMs: 40_000,
      details: () => `${bytes()} bytes`,
    })
    for (let number = count - 5; number < count; number += 1) assert.equal(await stateOf(number), 'HIT')
    for (let number = 0; number < 5; number += 1) assert.equal(await stateOf(number), 'MISS')
    assert.doesNotMatch(monohull.output(), /\[(crit|alert)\]/)
  })

  it('makes room where others have filled the disk, instead of answering with nothing', {
    skip: needsRoot,
  }, async t => {
    const folder = temporaryFolder(t, { 'monohull.yaml': 'https: off\ncache: { max_size: 1m }\n' })
    const small = join(folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small])
    defer(t, () => execFileSync('umount', ['--lazy', small]))
    const args = ['run', 'node', fixture('answers.cjs')]
    const monohull = startMonohull(t, { folder, args, env: { MONOHULL_RUN_DIR: join(small, 'run') } })
    await monohull.serving()
    const isAnswered = async (number: number) => {
      const path = `/${number}?length=100000&${forAMinute}`
      // a connection that is closed
      return (await monohull.request({ path }).catch(() => undefined))?.status === 200
    }
    for (let number = 0; number < 5; number += 1) assert.equal(await isAnswered(number), true)
    assert.throws(() => writeFileSync(join(small, 'filler'), Buffer.alloc(4 << 20)), { code: 'ENOSPC' })
    assert.equal(await isAnswered(10), false)
    // nginx looks every ten seconds
    await until('room for an answer', () => isAnswered(11), { deadlineMs: 40_000 })
  })

  it('that would outgrow the disk is refused', async t => {
    const args = ['check', 'node', fixture('answers.cjs')]
    for (const [yaml, key] of [
      ['cache: { max_size: 900000g }', 'cache\\.max_size: is too large:'],
      [
        'cache: {}\nroutes: [{ app: app, cache: { max_size: 900000g } }]',
        'routes\\.0\\.cache\\.max_size: is too large together with the other caches:',
      ],
    ]) {
      const monohull = startMonohull(t, { args, files: { 'monohull.yaml': `https: off\n${yaml}\n` } })
      assert.equal(await monohull.exited, 78)
      assert.match(monohull.output(), new RegExp(`${key} the file system of run_dir .* has \\d+m, got "900000g"`))
    }
  })

  for (const [what, yaml, keys] of [
    ['the front', 'cache: { key: $host$nope }', 'cache'],
    ['a route', 'routes: [{ path: /a, app: app, cache: { key: $host$nope } }]', 'routes\\[0\\]: cache'],
  ]) {
    it(`of ${what} with a key of a variable that is none is refused by the key of the configuration`, async t => {
      const args = ['check', 'node', fixture('answers.cjs')]
      const monohull = startMonohull(t, { args, files: { 'monohull.yaml': `https: off\n${yaml}\n` } })
      assert.equal(await monohull.exited, 78)
      const refusal = new RegExp(`unknown "nope" variable in rendered/site\\.conf:\\d+ \\(${keys}\\)`)
      assert.match(monohull.output(), refusal)
    })
  }

  it('that is not there is not purged', async t => {
    const monohull = await start(t, '')
    const env = isolatedEnv(monohull.folder)
    await assert.rejects(
      promisify(execFile)(process.execPath, [launcher, 'cache', 'purge'], { env }),
      /there is no cache/,
    )
  })
})

describe('send_files', { concurrency: 3 }, () => {
  it('has nginx send what the app names, with the headers that the app set, and to nobody else', async t => {
    const monohull = await start(t, 'send_files: { /protected/: private }', {
      'private/a b.txt': 'for members',
      'secret.txt': 'for nobody',
    })
    const sent = (name: string) =>
      monohull.request({
        path: `/x?header=x-accel-redirect:/protected/${name}&header=referrer-policy:no-referrer&header=content-type:text/plain`,
      })
    const { status, body, headers } = await sent('a%2520b.txt')
    assert.deepEqual([status, body], [200, 'for members'])
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-accel-redirect'], undefined)
    assert.notEqual((await sent('../secret.txt')).status, 200)
    assert.equal((await monohull.request({ path: '/protected/a%20b.txt' })).status, 404)
  })

  it('without its folder is refused', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': 'send_files: { /protected/: private }\n' } })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /send_files\.\/protected\/: is not a directory, got "private"/)
  })
})
