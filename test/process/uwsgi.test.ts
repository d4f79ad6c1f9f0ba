// needs: uwsgi uwsgi-plugin-python3
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, startMonohull, until } from './monohull.ts'
import { keepAsking } from './traffic.ts'

const command = `uwsgi --plugin python3 --socket fd://3 --wsgi-file ${fixture('uwsgi_app.py')} --master --hook-master-start 'unix_signal:15 gracefully_kill_them_all' --need-app --processes 2`
const config = `https: on\napp: { command: ${JSON.stringify(command)}, protocol: uwsgi, health: { interval: 200ms }, timeout: 2s }\n`

describe('uWSGI', () => {
  it('is spoken to on the inherited socket, and rolls under requests', async t => {
    const monohull = startMonohull(t, {
      files: { 'monohull.yaml': config },
      args: ['run'],
      env: { MONOHULL_WORKERS: '1' },
    })
    await monohull.serving()
    const asked = await monohull.request({
      path: '/a%20b/c?x=1',
      method: 'POST',
      body: 'sent',
      headers: {
        host: 'app.test',
        proxy: 'http://evil',
        'x-forwarded-for': '9.9.9.9',
        'x-client-cert-verify': 'SUCCESS',
      },
    })
    assert.equal(asked.status, 200, asked.body)
    const { pid, ...seen } = JSON.parse(asked.body)
    assert.deepEqual(seen, {
      REQUEST_METHOD: 'POST',
      PATH_INFO: '/a b/c',
      QUERY_STRING: 'x=1',
      SERVER_NAME: 'app.test',
      HTTPS: 'on',
      REMOTE_ADDR: '127.0.0.1',
      HTTP_HOST: 'app.test',
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
      HTTP_X_FORWARDED_PROTO: 'https',
      HTTP_PROXY: null,
      HTTP_X_CLIENT_CERT_VERIFY: null,
      body: 'sent',
    })
    keepAsking(t, monohull)
    const slow = monohull.request({ path: '/slow' })
    const from = monohull.output().length
    monohull.signal('SIGUSR2')
    await monohull.seen(/ workers replaced/, from)
    await monohull.seen(/worker stopped/, from)
    assert.equal((await slow).status, 200)
    assert.notEqual(JSON.parse((await monohull.request()).body).pid, pid)
    // uWSGI's own limit is 4 KB
    const cookies = Object.fromEntries(['a', 'b', 'c'].map(name => [`x-${name}`, name.repeat(6000)]))
    assert.equal((await monohull.request({ headers: cookies })).status, 200)
  })

  it('loses no GET to kills of a whole uWSGI and of its processes', async t => {
    const monohull = startMonohull(t, {
      files: { 'monohull.yaml': config },
      args: ['run'],
      env: { MONOHULL_WORKERS: '2' },
    })
    await monohull.serving()
    const failures: string[] = []
    let isOver = false
    let count = 0
    const asking = Array.from({ length: 6 }, async () => {
      while (!isOver) {
        const failure = await monohull.request({ path: '/brief' }).then(
          ({ status }) => (status === 200 ? undefined : String(status)),
          (error: Error) => error.message,
        )
        count++
        if (failure !== undefined) failures.push(failure)
      }
    })
    for (const slot of [1, 2]) {
      const before = monohull.worker(slot)
      process.kill(before, 'SIGKILL')
      const next = await monohull.workerAfter(slot, before)
      await monohull.seen(new RegExp(`worker ready worker=app\\.${slot} pid=${next}`))
    }
    const { pid } = JSON.parse((await monohull.request()).body)
    process.kill(pid, 'SIGKILL')
    await until('another process', async () => JSON.parse((await monohull.request()).body).pid !== pid)
    isOver = true
    await Promise.all(asking)
    assert.deepEqual(failures, [])
    assert.ok(count > 20, String(count))
  })
})
