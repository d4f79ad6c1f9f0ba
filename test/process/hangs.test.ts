// needs: python3
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '../../supervisor/base/adapters/system-clock.ts'
import { pause } from '../../supervisor/base/clock.ts'
import { fixture, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const server = `function spinForEver() { for (;;); }
require('node:http').createServer(function answer(request, response) {
  if (request.url === '/spin') spinForEver()
  response.end(String(process.pid))
}).listen(3000)`
const env = { MONOHULL_TIMEOUT: '3s', MONOHULL_WORKERS: '1' }

describe('a hung worker is killed and restarted in its slot', { concurrency: 3 }, () => {
  it('with the place where its event loop is blocked, even below a shell, and no secret left anywhere', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'sh', 'start'],
      files: { start: 'node app.cjs\nexit 1', 'app.cjs': server },
      env: { ...env, SECRET: 'hunter2' },
    })
    await monohull.serving()
    const before = monohull.worker(1)
    void monohull.request({ path: '/spin', method: 'POST' }).catch(() => {})
    const [record] = await monohull.seen(/worker died worker=app\.1 [\s\S]*?decision=.*(\n {4}.*)*/)
    assert.match(record, new RegExp(`pid=${before} exit="signal SIGKILL" reason="hung: event loop blocked for \\d+ s"`))
    assert.match(record, /spinForEver \(.*app\.cjs:1:\d+\)[\s\S]*answer \(.*app\.cjs:3:\d+\)/)
    await monohull.workerAfter(1, before)
    assert.equal((await monohull.request()).status, 200)
    assert.doesNotMatch(monohull.output(), /hunter2/)
    const left = readdirSync(join(monohull.folder, 'run')).concat(readdirSync(monohull.folder))
    assert.deepEqual(
      left.filter(name => /report/.test(name)),
      [],
    )
  })

  it('when it is stopped by a signal', async t => {
    const monohull = startMonohull(t, { args: hello, env })
    await monohull.serving()
    const before = monohull.worker(1)
    process.kill(before, 'SIGSTOP')
    await monohull.seen(/worker died worker=app\.1 .*reason="hung: event loop blocked/)
    await monohull.workerAfter(1, before)
    assert.equal((await monohull.request()).status, 200)
  })

  it('when a program in any language does not answer health.path any more', async t => {
    const files = {
      'monohull.yaml': 'app: {command: [python3, server.py], timeout: 3s, health: {path: /alive, interval: 500ms}}',
      'server.py': `import faulthandler, http.server, os, socket, time
faulthandler.enable()
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def do_OPTIONS(self): self.send_response(200); self.end_headers()
    def do_GET(self):
        if self.path == '/hang': stand_still()
        self.send_response(404); self.end_headers()
def stand_still():
    while True: time.sleep(1)
server = http.server.HTTPServer(('', 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.socket.listen(16)
server.serve_forever()`,
    }
    const monohull = startMonohull(t, { files, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const before = monohull.worker(1)
    void monohull.request({ path: '/hang' }).catch(() => {})
    const [record] = await monohull.seen(/worker died worker=app\.1 [\s\S]*?decision=.*(\n {4}.*)*/)
    assert.match(record, /exit="signal SIGABRT" reason="hung: no response to GET \/alive for \d+ s"/)
    assert.match(record, /in stand_still/)
    await monohull.workerAfter(1, before)
  })
})

describe('a healthy worker', { concurrency: 3 }, () => {
  it('is not taken for hung after the supervisor stood still', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...env, MONOHULL_TIMEOUT: '2s' } })
    await monohull.serving()
    const before = monohull.worker(1)
    monohull.signal('SIGSTOP')
    // what has to pass is the timeout itself
    await pause(systemClock, 5000)
    monohull.signal('SIGCONT')
    await pause(systemClock, 4000)
    assert.doesNotMatch(monohull.output(), /hung/)
    assert.equal(monohull.worker(1), before)
    await until('an answer', async () => (await monohull.request()).status === 200)
  })

  it('may be busy for less than the timeout, and for ever with timeout: 0s', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...env, MONOHULL_TIMEOUT: '0s' } })
    await monohull.serving()
    process.kill(monohull.worker(1), 'SIGSTOP')
    await pause(systemClock, 3000)
    assert.doesNotMatch(monohull.output(), /hung/)
    process.kill(monohull.worker(1), 'SIGCONT')
    assert.equal((await monohull.request()).status, 200)
  })
})
