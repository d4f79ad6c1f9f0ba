import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, fixture, startMonohull, until } from './monohull.ts'

/** It is 30 s, and nginx's own default 60 s. */
const deadlineMs = 50_000

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
