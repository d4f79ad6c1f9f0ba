// needs: python3
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, type Monohull, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const recycled = /recycling worker worker=app\.(\d) pid=\d+ reason=(\w+) value=(\d+) limit=(\d+)/g

/** Posts until `isDone`; gives the statuses seen. */
async function postUntil(monohull: Monohull, isDone: () => boolean): Promise<number[]> {
  const statuses = new Set<number>()
  await until('the load to be done', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => monohull.request({ method: 'POST', body: 'x' })))
    for (const { status } of answers) statuses.add(status)
    return isDone()
  })
  return [...statuses]
}

const lives = (monohull: Monohull) => monohull.instance().children.filter(({ name }) => name.startsWith('app.')).length

describe('a worker that has reached its limit is replaced, the new one ready first', { concurrency: 3 }, () => {
  it('max_requests: each draws its own, and no request fails', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { MONOHULL_MAX_REQUESTS: '40', MONOHULL_MAX_REQUESTS_JITTER: '20', MONOHULL_MIN_UPTIME: '0s' },
    })
    await monohull.serving()
    let most = 0
    const statuses = await postUntil(monohull, () => {
      most = Math.max(most, lives(monohull))
      return [...monohull.output().matchAll(recycled)].length >= 3
    })
    assert.deepEqual(statuses, [200], monohull.output())
    for (const [, , reason, value, limit] of monohull.output().matchAll(recycled)) {
      assert.equal(reason, 'max_requests')
      assert.equal(value, limit)
      assert.ok(Number(limit) >= 40 && Number(limit) <= 60)
    }
    assert.ok(most <= 3, `${most} workers of 2 at the same time`)
  })

  it('max_memory: of its whole process group', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'app.cjs'],
      files: {
        'app.cjs': `const kept = []
          require('node:http').createServer((request, response) => {
            if (request.url === '/grow') kept.push(Buffer.alloc(150e6, 1))
            if (request.url === '/child') require('node:child_process').spawn(process.execPath, ['-e', 'globalThis.kept = Buffer.alloc(150e6, 1); setInterval(() => {}, 1000)'])
            response.end('done')
          }).listen(3000)`,
      },
      env: { MONOHULL_MAX_MEMORY: '180MB', MONOHULL_WORKERS: '1', MONOHULL_MIN_UPTIME: '500ms' },
    })
    await monohull.serving()
    for (const path of ['/grow', '/child']) {
      const before = monohull.worker(1)
      const from = monohull.output().length
      assert.equal((await monohull.request({ path, method: 'POST' })).status, 200)
      await monohull.seen(/recycling worker worker=app\.1 pid=\d+ reason=max_memory value=\d{9} limit=188743680/, from)
      await monohull.seen(new RegExp(`worker stopped worker=app\\.1 pid=${before}`), from)
    }
    assert.doesNotMatch(monohull.output(), /worker died/)
  })

  it('max_age: one at a time, though all are due at once', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { MONOHULL_MAX_AGE: '2s', MONOHULL_WORKERS: '4', MONOHULL_MIN_UPTIME: '0s' },
    })
    await monohull.serving()
    let most = 0
    const statuses = await postUntil(monohull, () => {
      most = Math.max(most, lives(monohull))
      return new Set([...monohull.output().matchAll(recycled)].map(([, slot]) => slot)).size === 4
    })
    assert.deepEqual(statuses, [200], monohull.output())
    assert.ok(most <= 5, `${most} workers of 4 at the same time`)
  })

  it('all limits, and a rolling restart, at the same moment: one worker at a time', async t => {
    // each is over max_memory and max_age when it may be looked at, and all have had their requests
    const files = {
      'monohull.yaml': `app: { max_memory: 1MB, max_age: 1s, max_requests: 1, restart: "* * * * *", min_uptime: 500ms }\n`,
    }
    const monohull = startMonohull(t, { args: hello, files, env: { MONOHULL_WORKERS: '4' } })
    await monohull.serving()
    monohull.signal('SIGUSR2')
    const statuses = await postUntil(monohull, () => [...monohull.output().matchAll(recycled)].length >= 8)
    assert.deepEqual(statuses, [200], monohull.output())
    // the next begins when the one before is gone
    const steps =
      monohull
        .output()
        .match(/recycling worker|worker stopped/g)
        ?.join() ?? ''
    assert.doesNotMatch(steps, /recycling worker,recycling worker/, monohull.output())
  })

  it('stays when the new one does not come up', async t => {
    const files = { 'app.cjs': `require(${JSON.stringify(fixture('hello.cjs'))})` }
    const env = { MONOHULL_MAX_AGE: '4s', MONOHULL_MIN_UPTIME: '0s', MONOHULL_WORKERS: '1' }
    const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files, env })
    await monohull.serving()
    const before = monohull.worker(1)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(`${monohull.folder}/app.cjs`, 'process.exit(7)')
    await monohull.seen(/recycling abandoned, the old worker stays worker=app\.1 reason="app\.1: .*exit code 7/)
    assert.equal(JSON.parse((await monohull.request()).body).pid, before)
  })
})

describe('recycling', { concurrency: 3 }, () => {
  it('says that max_requests is not counted where it is not', async t => {
    const files = {
      'server.py': `import socket, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def do_OPTIONS(self):
        self.send_response(200); self.end_headers()
server = http.server.HTTPServer(('', 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.socket.listen(16)
server.serve_forever()`,
    }
    const monohull = startMonohull(t, {
      args: ['run', 'python3', 'server.py'],
      files,
      env: { MONOHULL_MAX_REQUESTS: '9' },
    })
    await monohull.seen(
      /max_requests has no effect: this worker does not count its requests .*Gunicorn: --max-requests/,
    )
  })

  it('replaces all workers at the times of `restart`', async t => {
    const files = { 'monohull.yaml': `app: {restart: "* * * * *", min_uptime: 0s}` }
    const env = { NODE_OPTIONS: `--require ${fixture('late-in-the-minute.cjs')}` }
    const monohull = startMonohull(t, { args: hello, files, env })
    await monohull.serving()
    const before = monohull.worker(2)
    await until('the restart', () => /workers replaced|app replaced/.test(monohull.output()), { deadlineMs: 90_000 })
    assert.match(monohull.output(), /command received command=restart from="the schedule \* \* \* \* \*"/)
    assert.notEqual(monohull.worker(2), before)
  })
})
