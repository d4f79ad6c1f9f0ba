import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { allReady, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
/** Without access lines, which hold the query, and without backoff. */
const env = { MONOHULL_ACCESS_LOG: 'false', MONOHULL_MIN_UPTIME: '0s' }

/** Deaths in the log, in either format. */
const countDeaths = ({ output }: Monohull) => output().match(/error worker died|"message":"worker died"/g)?.length ?? 0

describe('the record of a worker that died with requests in flight', () => {
  it('names them, without their query, and warns of one that does so again and again', async t => {
    const monohull = startMonohull(t, { args: hello, env })
    await allReady(monohull, 2)
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

  it('does not repeat a GET that was the only one in flight, and says so', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { ...env, MONOHULL_WORKERS: '4', MONOHULL_LOG_FORMAT: 'json' },
    })
    await monohull.serving()
    // until then nginx's entries lead to other workers, and a request cannot be assigned to the one that died
    for (let slot = 1; slot <= 4; slot++) await monohull.seen(new RegExp(`"worker ready","worker":"app\\.${slot}"`))
    for (let death = 1; death <= 3; death++) {
      const from = monohull.output().length
      const { status, body } = await monohull.request({
        path: '/crash?token=hunter2',
        headers: { accept: 'text/html' },
      })
      assert.equal(status, 502)
      assert.match(body, /Back in a moment/)
      const reason = death === 1 ? 'only request in flight' : 'repeat offender'
      const refusal = new RegExp(`not_retried[^\\n]*GET /crash [0-9a-f]{32} \\(${reason}\\)`)
      await monohull.seen(refusal, from)
      await monohull.seen(/worker ready/, from)
    }
    const [warning] = await monohull.seen(/^.*the same request was in flight.*$/m)
    const { request, deaths } = JSON.parse(warning)
    assert.deepEqual([request, deaths], ['GET /crash', 3])
    assert.equal(countDeaths(monohull), 3)
  })

  for (const listen of ['inherit', 'port']) {
    it(`repeats once what was in flight together, with listen: ${listen}`, async t => {
      const monohull = startMonohull(t, {
        args: hello,
        env: { ...env, MONOHULL_WORKERS: '3', MONOHULL_LISTEN: listen },
      })
      // until then nginx's entries lead to other workers; some requests in each of them
      await allReady(monohull, 3)
      const waiting = Array.from({ length: 9 }, () => monohull.request({ path: '/slow?ms=5000' }))
      await until('requests in the workers', async () => {
        const { slow } = JSON.parse((await monohull.request()).body)
        return slow >= 2
      })
      assert.equal((await monohull.request({ path: '/crash' })).status, 502)
      // only what shared both workers with it is lost too
      const statuses = (await Promise.all(waiting)).map(({ status }) => status)
      assert.ok(statuses.filter(status => status === 200).length >= 4, statuses.join())
      await monohull.seen(/GET \/crash [0-9a-f]{32} \(second worker\)/)
      assert.ok(countDeaths(monohull) <= 2)
    })
  }

  it('repeats a GET once whose worker was killed from outside, even the only one', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...env, MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const slow = () => monohull.request({ path: '/slow?ms=1500' })
    const once = slow()
    const busy = async () => JSON.parse((await monohull.request()).body).slow === 1
    await until('the request in the worker', busy)
    const first = monohull.worker(1)
    process.kill(first, 'SIGKILL')
    await until('the request in the next worker', busy)
    assert.equal((await once).status, 200)
    const twice = slow()
    await until('the second request in the worker', busy)
    const second = await monohull.workerAfter(1, first)
    process.kill(second, 'SIGKILL')
    await until('the second request in the next worker', busy)
    process.kill(await monohull.workerAfter(1, second), 'SIGKILL')
    assert.equal((await twice).status, 502)
    await until('the third record', () => countDeaths(monohull) === 3)
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
