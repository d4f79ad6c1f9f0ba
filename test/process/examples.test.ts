// needs: gcc golang-go gunicorn libc6-dev php-cli php-fpm puma python3 python3-flask uvicorn
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const home = join(import.meta.dirname, '../..')
const examples = join(home, 'examples')
const path = `${join(home, 'node_modules/.bin')}${delimiter}${process.env.PATH}`

/** Builds what an example's Dockerfile compiles; the others run as they are. */
const builds: Record<string, string> = {
  typescript: 'tsc',
  go: 'go build -o server .',
  c: 'gcc -O2 -Wall -D_GNU_SOURCE -pthread -o server server.c',
}
/** What these show is in the front, or in several containers: test/image/examples-front.test.ts. */
const ofTheFront = new Set([
  'dynamic-routing',
  'flask-load-balanced',
  'flask-reverse-proxy',
  'https-gunicorn',
  'node-ssr',
  'spa-websocket',
  // image/examples-wordpress
  'wordpress',
  // process/acme-addresses
  'ip-certificate',
])
const all = readdirSync(examples, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? entry.name : []))
const names = all.filter(name => !ofTheFront.has(name))
/** Kept from one run to the next: a newer Go compiles its library at the first build. */
const goCache = process.env.GOCACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'go-build')

/** A copy of an example, with this repository's packages. */
function copyExample(t: TestContext, name: string): string {
  const folder = temporaryFolder(t)
  cpSync(join(examples, name), folder, { recursive: true })
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** What the Dockerfile's CMD gives to monohull. */
function commandOf(folder: string): string[] {
  const line = readFileSync(join(folder, 'Dockerfile'), 'utf8').match(/^CMD (\[.*\])$/m)?.[1]
  const [program, ...args] = JSON.parse(line ?? '[]')
  assert.equal(program, 'monohull')
  return args
}

/** Settles with a slow request's status to be, once nginx has the request. */
async function askSlowly(monohull: Monohull): Promise<{ status: Promise<number | undefined> }> {
  const port = monohull.instance().httpsPort
  const request = https.get({ host: '127.0.0.1', port, path: '/slow', rejectUnauthorized: false, agent: false })
  const status = once(request, 'response').then(([response]) => {
    response.resume()
    return response.statusCode
  })
  await once(request, 'finish')
  // nginx has one process here: what it answers now came after
  assert.equal((await monohull.request()).status, 200)
  return { status }
}

describe('examples/', { concurrency: 3 }, () => {
  for (const name of names) {
    const timeout = builds[name] ? 300_000 : 120_000
    it(`${name}: serves, loses no GET when a worker is killed, and drains`, { timeout }, async t => {
      const folder = copyExample(t, name)
      const build = builds[name]
      const env = { ...isolatedEnv(folder), PATH: path, HOME: folder, GOCACHE: goCache }
      if (build) await promisify(execFile)('sh', ['-c', build], { cwd: folder, env })
      const monohull = startMonohull(t, {
        folder,
        args: commandOf(folder),
        env: { MONOHULL_NGINX_WORKER_PROCESSES: '1', PYTHONDONTWRITEBYTECODE: '1' },
      })
      await monohull.serving()
      const { app, worker, protocol } = JSON.parse((await monohull.request()).body)
      assert.deepEqual([app, protocol], [name, 'https'])
      assert.match(worker, /^app\.[12]$/)
      const sent = 'x'.repeat(100_000)
      const echoed = await monohull.request({ path: '/echo', method: 'POST', body: sent })
      assert.ok(echoed.body === sent, `${echoed.status}, ${echoed.body.length} bytes`)

      // nginx gets a worker with a port by a reload, some time after the worker is ready
      const responding = new Set<string>()
      await until(
        'both workers',
        async () => {
          responding.add(JSON.parse((await monohull.request()).body).worker)
          return responding.size === 2
        },
        { details: monohull.output },
      )
      const killed = monohull.worker(1)
      process.kill(killed, 'SIGKILL')
      const statuses = new Set<number>()
      await until(
        'the next worker',
        async () => {
          statuses.add((await monohull.request()).status)
          const ready = monohull.output().match(/worker ready worker=app\.1 pid=(\d+)/g) ?? []
          return ready.length > 1 && !ready.at(-1)?.endsWith(`=${killed}`)
        },
        { details: monohull.output },
      )
      assert.deepEqual([...statuses], [200])

      const slow = await askSlowly(monohull)
      monohull.signal('SIGTERM')
      assert.equal(await slow.status, 200)
      assert.equal(await monohull.exited, 0)
      assert.equal(monohull.output().match(/worker stopped worker=app\.\d pid=\d+ exit="exit code 0"/g)?.length, 2)
    })
  }

  it('typescript: from its sources by monohull dev', async t => {
    const folder = copyExample(t, 'typescript')
    const monohull = startMonohull(t, {
      folder,
      args: ['dev', 'tsx', 'src/server.ts'],
      env: { PATH: path, MONOHULL_WORKERS: undefined },
    })
    await monohull.serving()
    await monohull.seen(/watching/)
    assert.match((await monohull.request()).body, /"app":"typescript"/)
    const file = join(folder, 'src/greeting.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace("'typescript'", "'changed'"))
    await until('the change', async () => /"app":"changed"/.test((await monohull.request()).body), {
      details: monohull.output,
    })
  })

  it('php-framework: the queue worker and the schedule run as the user of PHP-FPM', async t => {
    const folder = copyExample(t, 'php-framework')
    const queue = temporaryFolder(t)
    chmodSync(queue, 0o777)
    const monohull = startMonohull(t, { folder, args: ['run'], env: { QUEUE_DIR: queue, MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const { body } = await monohull.request({ path: '/mails', method: 'POST', body: 'hello' })
    assert.match(body, /^task-/)
    await monohull.seen(/queue\.1\[\d+\] stdout\| sent hello/)
    assert.deepEqual(readdirSync(queue), [])
    const owners = ['app.1', 'queue.1'].map(name => {
      const { pid } = monohull.instance().children.find(child => child.name === name) ?? assert.fail(name)
      return statSync(`/proc/${pid}`).uid
    })
    assert.equal(owners[0], owners[1])
    if (process.getuid?.() === 0) assert.notEqual(owners[0], 0)
    assert.equal((await monohull.request({ path: '/console.php' })).status, 404)
    await monohull.request({ path: '/mails', method: 'POST', body: 'bye' })
    await monohull.seen(/sent bye/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /process stopped process=queue\.1 pid=\d+ exit="exit code 0"/)
  })

  it('are all in the index', () => {
    const index = readFileSync(join(examples, 'README.md'), 'utf8')
    for (const name of all) assert.match(index, new RegExp(`\\| \\[${name}\\]\\(${name}/\\) \\|`))
  })
})
