import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findAccount } from '../../supervisor/processes/adapters/users.ts'
import {
  fixture,
  type Monohull,
  needsRoot,
  type StartOptions,
  startMonohull,
  temporaryFolder,
  until,
} from './monohull.ts'

const who = `command: [node, ${fixture('who.cjs')}]`
const two = `apps:
  web: { ${who}, directory: site, workers: 1, env: { NAME: the site } }
  api: { ${who}, directory: api, workers: 2, env: { NAME: the api } }
routes:
  - { path: /, app: web }
  - { path: /api, app: api }
  - { host: api.example.com, app: api }
`
const folders = { 'site/.keep': '', 'api/.keep': '' }
/** What the harness sets for the app called app. */
const noDefaultApp = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined } as unknown as Record<string, string>

function startApps(t: TestContext, yaml: string, options: StartOptions = {}): Monohull {
  return startMonohull(t, {
    ...options,
    files: { 'monohull.yaml': yaml, ...folders, ...options.files },
    env: { ...noDefaultApp, ...options.env },
  })
}

async function ask(monohull: Monohull, path = '/', host = 'localhost') {
  const { status, body } = await monohull.request({ path, headers: { host } })
  return { status, ...(status === 200 ? JSON.parse(body) : {}) }
}

/** Runs the command line for the instance, with a log of its own. */
async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const env = { ...noDefaultApp, MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
  const told = startMonohull(t, { folder: temporaryFolder(t), args, env })
  return { code: await told.exited, output: told.output() }
}

async function workersOf(t: TestContext, monohull: Monohull): Promise<Record<string, number>> {
  const status = JSON.parse((await tell(t, monohull, 'status', '--json')).output)
  return Object.fromEntries(status.workers.map(({ name, pid }: { name: string; pid: number }) => [name, pid]))
}

describe('several apps', { concurrency: 3 }, () => {
  it('have each their own folder, variables, workers and routes', async t => {
    const monohull = startApps(t, two, { env: { MONOHULL_APPS_API_WORKERS: '1' } })
    await monohull.serving()
    const cases: [string, string, string][] = [
      ['/', 'localhost', 'web'],
      ['/apix', 'localhost', 'web'],
      ['/api', 'localhost', 'api'],
      ['/api/x?y=1', 'localhost', 'api'],
      ['/', 'api.example.com', 'api'],
      ['/API', 'localhost', 'web'],
    ]
    for (const [path, host, app] of cases) {
      const answer = await ask(monohull, path, host)
      assert.deepEqual([answer.worker, answer.url], [`${app}.1`, path], `${host}${path}`)
    }
    const [web, api] = [await ask(monohull), await ask(monohull, '/api')]
    assert.deepEqual([web.name, web.folder], ['the site', join(monohull.folder, 'site')])
    assert.deepEqual([api.name, api.folder], ['the api', join(monohull.folder, 'api')])
    assert.deepEqual(Object.keys(await workersOf(t, monohull)), ['web.1', 'api.1'])
  })

  it('run as different users', { skip: needsRoot }, async t => {
    const yaml = two
      .replace('directory: site', 'directory: site, user: www-data')
      .replace('directory: api', 'directory: api, user: nobody')
    const monohull = startApps(t, yaml)
    await monohull.serving()
    for (const [path, user] of [
      ['/', 'www-data'],
      ['/api', 'nobody'],
    ] as const) {
      const { uid, home } = findAccount(user) ?? assert.fail(user)
      const answer = await ask(monohull, path)
      assert.deepEqual([answer.uid, answer.home], [uid, home])
    }
  })

  it('have each their own limits', async t => {
    const yaml = two
      .replace('directory: api,', 'directory: api, max_age: 2s, min_uptime: 0s,')
      .replace('directory: site,', 'directory: site, on_failure: exit,')
    const monohull = startApps(t, yaml)
    await monohull.serving()
    const before = await workersOf(t, monohull)
    for (const slot of [1, 2]) await monohull.seen(new RegExp(`recycling worker worker=api\\.${slot} .*reason=max_age`))
    assert.doesNotMatch(monohull.output(), /recycling worker worker=web/)
    assert.equal((await workersOf(t, monohull))['web.1'], before['web.1'])
    process.kill(before['web.1'] ?? assert.fail(), 'SIGSEGV')
    assert.equal(await monohull.exited, 139)
  })

  it('are restarted whole or one by one, and scaled by name', async t => {
    const monohull = startApps(t, two)
    await monohull.serving()
    const before = await workersOf(t, monohull)
    assert.equal((await tell(t, monohull, 'restart', 'api')).output, 'monohull: api replaced\n')
    const after = await workersOf(t, monohull)
    assert.equal(after['web.1'], before['web.1'])
    for (const name of ['api.1', 'api.2']) assert.notEqual(after[name], before[name])
    assert.equal((await tell(t, monohull, 'restart', 'web.1')).output, 'monohull: web.1 replaced\n')
    const unknown = await tell(t, monohull, 'restart', 'queue')
    assert.deepEqual([unknown.code, /queue does not exist; choose from/.test(unknown.output)], [1, true])
    const near = await tell(t, monohull, 'restart', 'apy.2')
    assert.match(near.output, /apy\.2 does not exist; choose from api\.2, api\.1, api, web\.1, web, or/)

    assert.equal(
      (await tell(t, monohull, 'scale', '3', '--app', 'api')).output,
      'monohull: scaled to 3 workers of api\n',
    )
    assert.deepEqual(Object.keys(await workersOf(t, monohull)), ['web.1', 'api.1', 'api.2', 'api.3'])
    const unnamed = await tell(t, monohull, 'scale', '3')
    assert.deepEqual([unnamed.code, /choose an app with --app: web, api/.test(unnamed.output)], [1, true])
    const from = monohull.output().length
    monohull.signal('SIGTTIN')
    await monohull.seen(/scaled to 2 workers of web/, from)
  })

  it('go back together when one does not come up in a reload', async t => {
    const monohull = startApps(t, two)
    await monohull.serving()
    writeFileSync(join(monohull.folder, 'api/broken'), '')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), two.replace('the site', 'the new site'))
    const failed = await tell(t, monohull, 'reload')
    assert.equal(failed.code, 1)
    assert.match(failed.output, /reload abandoned[\s\S]*api\.1: [\s\S]*broken by its folder/)
    assert.equal((await ask(monohull)).name, 'the site')
    assert.equal((await ask(monohull, '/api')).name, 'the api')
    rmSync(join(monohull.folder, 'api/broken'))
    assert.equal((await tell(t, monohull, 'reload')).code, 0)
    // one that drains may still answer what was under way to it
    await until('the new site', async () => (await ask(monohull)).name === 'the new site')
  })

  it('come and go with a reload, without a failed request', async t => {
    const monohull = startApps(t, two)
    await monohull.serving()
    const statuses = new Set<number>()
    let isDone = false
    const load = (async () => {
      while (!isDone) statuses.add((await monohull.request({ method: 'POST', body: 'x' })).status)
    })()
    const more = two.replace('routes:', `  docs: { ${who}, workers: 1 }\nroutes:\n  - { path: /docs, app: docs }`)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), more)
    assert.deepEqual(await tell(t, monohull, 'reload'), { code: 0, output: 'monohull: reload finished\n' })
    // nginx's old workers may still take a connection
    await until('the new app', async () => (await ask(monohull, '/docs/x')).worker === 'docs.1')

    writeFileSync(join(monohull.folder, 'monohull.yaml'), two)
    const { 'docs.1': docs = 0 } = await workersOf(t, monohull)
    assert.equal((await tell(t, monohull, 'reload')).code, 0)
    await until('its route to be gone', async () => (await ask(monohull, '/docs/x')).worker === 'web.1')
    assert.deepEqual(Object.keys(await workersOf(t, monohull)), ['web.1', 'api.1', 'api.2'])
    assert.throws(() => process.kill(docs, 0), /ESRCH/)
    isDone = true
    await load
    assert.deepEqual([...statuses], [200], monohull.output())
  })

  it('that are new and do not come up leave all as it was', async t => {
    const monohull = startApps(t, two, { files: { 'docs/broken': '' } })
    await monohull.serving()
    const more = two.replace('routes:', `  docs: { ${who}, directory: docs }\nroutes:\n  - { path: /docs, app: docs }`)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), more)
    const { code, output } = await tell(t, monohull, 'reload')
    assert.equal(code, 1)
    assert.match(output, /docs\.\d: it ended with exit code 1 before it was ready[\s\S]*broken by its folder/)
    assert.equal((await ask(monohull, '/docs/x')).worker, 'web.1')
    assert.deepEqual(Object.keys(await workersOf(t, monohull)), ['web.1', 'api.1', 'api.2'])
  })

  it('that no route leads to are told of', async t => {
    const monohull = startApps(t, two.slice(0, two.indexOf('routes:')))
    await monohull.serving()
    await monohull.seen(/warn no route leads to an app app=api fix="add \{path: \/api, app: api\} to routes"/)
    const ready = await monohull.request({ path: '/readyz' })
    assert.deepEqual(JSON.parse(ready.body).workers, { ready: 1, total: 1 })
    assert.equal((await ask(monohull, '/api')).worker, 'web.1')
    monohull.signal('SIGTERM')
    await monohull.exited
    const check = startMonohull(t, { folder: monohull.folder, args: ['check'], env: noDefaultApp })
    assert.equal(await check.exited, 0)
    assert.match(check.output(), /no route leads to the app api/)
  })

  it('that boot while it is stopped end with the rest', async t => {
    const monohull = startApps(t, two)
    await monohull.serving()
    const more = two.replace(
      'routes:',
      `  docs: { command: [node, ${fixture('silent.cjs')}] }\nroutes:\n  - { path: /docs, app: docs }`,
    )
    writeFileSync(join(monohull.folder, 'monohull.yaml'), more)
    monohull.signal('SIGHUP')
    await monohull.seen(/docs\.1\[\d+\] stdout\| silent is up/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
  })

  it('end the start when one of them fails', async t => {
    const monohull = startApps(t, two, { files: { 'api/broken': '' } })
    assert.equal(await monohull.exited, 1)
    assert.match(
      monohull.output(),
      /every worker failed at its first start; api\.[12] was the last one[\s\S]*broken by/,
    )
  })

  it('are ready when each that a route leads to has a worker', async t => {
    const yaml = `${two.replace('workers: 2', 'workers: 1')}`
    const monohull = startApps(t, yaml, {
      env: { MONOHULL_APPS_API_BACKOFF_INITIAL: '20s', MONOHULL_APPS_API_MIN_UPTIME: '1h' },
    })
    await monohull.serving()
    const ready = await monohull.request({ path: '/readyz' })
    assert.deepEqual(JSON.parse(ready.body), { status: 'ready', workers: { ready: 2, total: 2 } })
    process.kill((await ask(monohull, '/api')).pid, 'SIGSEGV')
    const unready = await until('readiness to go off', async () => {
      const answer = await monohull.request({ path: '/readyz' })
      return answer.status === 503 && answer
    })
    assert.equal(JSON.parse(unready.body).reason, 'no worker of api is ready')
    assert.equal((await ask(monohull)).worker, 'web.1')
  })

  it('may be folders, beside workers', async t => {
    const yaml = `apps: { web: { ${who}, workers: 1 }, docs: { command: public } }
routes: [{ app: web }, { path: /docs, app: docs }]`
    const monohull = startApps(t, yaml, {
      files: { 'public/index.html': 'the docs', 'public/deep/page.txt': 'a page', 'public/.git/config': 'secret' },
    })
    await monohull.serving()
    for (const [path, body] of [
      ['/docs/', 'the docs'],
      ['/docs/deep/page.txt', 'a page'],
    ] as const) {
      assert.deepEqual(
        [(await monohull.request({ path })).status, (await monohull.request({ path })).body],
        [200, body],
      )
    }
    const moved = await monohull.request({ path: '/docs?x=1' })
    assert.deepEqual([moved.status, moved.headers.location], [308, '/docs/?x=1'])
    for (const path of ['/docs/nothing', '/docs/.git/config']) assert.equal((await ask(monohull, path)).status, 404)
    assert.equal((await ask(monohull, '/.git/config')).worker, 'web.1')
  })
})
