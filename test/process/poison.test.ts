import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
/** Without access lines, which hold the query, and without backoff. */
const env = { MONOHULL_ACCESS_LOG: 'false', MONOHULL_MIN_UPTIME: '0s' }

describe('the record of a worker that died with requests in flight', () => {
  it('names them, without their query, and warns of one that does so again and again', async t => {
    const monohull = startMonohull(t, { args: hello, env })
    await monohull.serving()
    const waiting = [1, 2, 3].map(() => monohull.request({ path: '/slow?ms=60000', method: 'POST' }).catch(() => {}))
    for (let death = 1; death <= 3; death++) {
      const from = monohull.output().length
      const answer = await monohull.request({ path: '/crash?token=hunter2', method: 'POST', body: 'x' })
      assert.equal(answer.status, 502)
      await monohull.seen(/in_flight: POST \/crash [0-9a-f]{32}\n/, from)
      await monohull.seen(/worker ready/, from)
    }
    const [warning] = await monohull.seen(/the same request was in flight each time .*/)
    assert.match(warning, /request="POST \/crash" deaths=3 request_id=[0-9a-f]{32}/)
    assert.match(monohull.output(), /in_flight: POST \/slow [0-9a-f]{32}\n/)
    const own = monohull.output().replaceAll(/^.*\[error\].*$/gm, '') // nginx's error lines hold the whole request
    assert.doesNotMatch(own, /hunter2/)
    assert.doesNotMatch(readFileSync(join(monohull.folder, 'run/nginx/unanswered.log'), 'utf8'), /hunter2/)
    await Promise.all(waiting)
  })

  it('names a GET that kills the workers it is repeated at', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { ...env, MONOHULL_WORKERS: '4', MONOHULL_LOG_FORMAT: 'json' },
    })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/crash' })).status, 502)
    const [warning] = await monohull.seen(/^.*the same request was in flight.*$/m)
    const { request, deaths } = JSON.parse(warning)
    assert.deepEqual([request, deaths], ['GET /crash', 3])
  })

  it('names a GET that kills few workers again and again, once in each record', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...env, MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/crash' })).status, 502)
    await monohull.seen(/the same request was in flight each time .*request="GET \/crash" deaths=3/)
    assert.doesNotMatch(monohull.output(), /(in_flight: GET \/crash.*\n\s*){2}/)
  })

  it('names none when there was none, nor what the app answered with 502 itself', async t => {
    const files = {
      'app.cjs': `require('node:http').createServer((q, r) => { r.statusCode = 502; r.end('own') }).listen(3000)`,
    }
    const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files, env })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'own')
    process.kill(monohull.worker(1), 'SIGKILL')
    await monohull.seen(/worker died/)
    assert.doesNotMatch(monohull.output(), /in_flight/)
    assert.equal(statSync(join(monohull.folder, 'run/nginx/unanswered.log')).size, 0)
  })

  it('is complete with on_failure: exit', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...env, MONOHULL_ON_FAILURE: 'exit' } })
    await monohull.serving()
    void monohull.request({ path: '/crash', method: 'POST' }).catch(() => {})
    assert.equal(await monohull.exited, 5)
    assert.match(monohull.output(), /worker died/)
  })
})
