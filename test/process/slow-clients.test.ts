// needs: gunicorn slowhttptest
// before a release: a minute of a core
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { defer, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

/** It is 30 s, and nginx's own default 60 s. */
const deadlineMs = 50_000

describe('clients that are slow on purpose, as slowhttptest plays them', { concurrency: 3 }, () => {
  it('with the head of a request are cut off, and keep nobody waiting', async t => {
    const monohull = await startSync(t)
    const slow = ['-H', '-c', '300', '-r', '300', '-i', '2', '-l', '30']
    const output = await askWhile(monohull, await startSlow(t, monohull, slow))
    // 15 s for the head of a request, and not 15 s after each piece of it
    assert.match(output, /Test ended on (1[4-9]|2\d)th second[\s\S]*No open connections left/)
  })

  it('with the body of a request keep no worker busy, though it takes one request at a time', async t => {
    const monohull = await startSync(t)
    const slow = ['-B', '-t', 'POST', '-c', '100', '-r', '100', '-i', '2', '-s', '100000', '-x', '10', '-l', '25']
    const output = await askWhile(monohull, await startSlow(t, monohull, slow))
    assert.match(output, /SLOW BODY/)
    // what reaches a worker has its socket in the access log
    assert.equal(/"POST .* unix:.*/.exec(monohull.output())?.[0], undefined)
  })

  it('with taking the answer keep no worker busy either', async t => {
    const monohull = await startSync(t)
    const slow = ['-X', '-c', '50', '-r', '50', '-w', '512', '-y', '1024', '-n', '5', '-z', '32', '-l', '25']
    const output = await askWhile(monohull, await startSlow(t, monohull, slow, '/large'))
    assert.match(output, /SLOW READ/)
  })
})

describe('clients that are slow', { concurrency: 2 }, () => {
  it('to send a body are cut off, and the app is not asked', async t => {
    const { monohull, socket } = await begin(t, 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
    let isClosed = false
    socket.resume().once('close', () => {
      isClosed = true
    })
    await until('the end of the connection', () => isClosed, { deadlineMs })
    const line = await monohull.seen(/"POST \/slow HTTP\/1\.1" 408 \d+ \S+ (\S+)/)
    assert.equal(line[1], '-')
  })

  it('to take an answer are cut off', async t => {
    const length = 50_000_000
    const { monohull, socket } = await begin(t, `GET /?length=${length} HTTP/1.1\r\nHost: a\r\n\r\n`)
    socket.pause()
    const line = await until(
      'the end of the request',
      () => /"GET \/\?length=\d+ HTTP\/1\.1" 200 (\d+)/.exec(monohull.output()) ?? undefined,
      { deadlineMs },
    )
    assert.ok(Number(line[1]) < length)
  })
})

/** A running instance, and a connection to it on which a text was sent. */
async function begin(t: TestContext, text: string) {
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('answers.cjs')],
    env: { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '1' },
  })
  const { httpPort } = await monohull.serving()
  const socket = connect({ host: '127.0.0.1', port: httpPort ?? 0 })
  defer(t, () => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return { monohull, socket }
}

/** One worker, which takes one request at a time, and gives up on none. */
async function startSync(t: TestContext): Promise<Monohull> {
  const monohull = startMonohull(t, {
    args: ['run', 'gunicorn', '--timeout', '0', '--chdir', fixture(''), '--bind', 'fd://3', 'large:app'],
    // otherwise a client that reads slowly holds the only thread of a sync worker
    files: { 'monohull.yaml': 'routes: [{ path: /, app: app, buffering: on }]\n' },
    env: { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '1', MONOHULL_KEEPALIVE: '0', PYTHONDONTWRITEBYTECODE: '1' },
  })
  await monohull.serving()
  return monohull
}

interface SlowClients {
  hasEnded(): boolean
  ended: Promise<void>
  output(): string
}

/** Settles when its connections are open. */
async function startSlow(t: TestContext, monohull: Monohull, options: string[], path = '/'): Promise<SlowClients> {
  const url = `http://127.0.0.1:${monohull.instance().httpPort}${path}`
  const child = spawn('slowhttptest', [...options, '-u', url], {
    cwd: temporaryFolder(t),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, TERM: 'dumb' },
  })
  let output = ''
  let hasEnded = false
  child.stdout.on('data', (chunk: Buffer) => {
    output += stripVTControlCharacters(String(chunk))
  })
  const ended = once(child, 'close').then(() => {
    hasEnded = true
  })
  defer(t, async () => {
    child.kill()
    await ended
  })
  return { hasEnded: () => hasEnded, ended, output: () => output }
}

/** Asks for the page until the slow clients have ended; what they say of themselves. */
async function askWhile(monohull: Monohull, slow: SlowClients): Promise<string> {
  let answered = 0
  while (!slow.hasEnded()) {
    assert.equal((await monohull.request()).status, 200)
    answered += 1
    await Promise.race([slow.ended, new Promise(resolve => setTimeout(resolve, 100))])
  }
  assert.ok(answered > 0)
  return slow.output()
}
