import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { defer, fixture, startMonohull } from './monohull.ts'

const home = new URL('../../', import.meta.url).pathname

describe('a WebSocket that is opened after a rolling restart', () => {
  it('never leads to a worker that drains, although nginx has idle connections to it', async t => {
    const env = {
      MONOHULL_HTTPS: 'off',
      MONOHULL_MIN_UPTIME: '0s',
      MONOHULL_ACCESS_LOG: 'false',
      NODE_PATH: `${home}node_modules`,
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('streams.cjs')], env })
    await monohull.serving()
    await monohull.seen(/worker ready worker=app\.2/)
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${monohull.instance().httpPort}/`)
      await once(socket, 'open', { signal: AbortSignal.timeout(20_000) })
      defer(t, () => socket.terminate())
      return socket
    }
    // these keep the old workers draining
    await Promise.all(Array.from({ length: 4 }, open))
    let isOver = false
    const asked = Promise.all(
      Array.from({ length: 16 }, async () => {
        while (!isOver) await monohull.request()
      }),
    )
    const old = [monohull.worker(1), monohull.worker(2)]
    monohull.signal('SIGUSR2')
    await monohull.seen(/workers replaced/)
    isOver = true
    await asked
    const pids = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const socket = await open()
        const answered = once(socket, 'message', { signal: AbortSignal.timeout(20_000) })
        socket.send('x')
        return Number(String((await answered)[0]).split(' ')[0])
      }),
    )
    assert.deepEqual(
      pids.filter(pid => old.includes(pid)),
      [],
    )
  })
})
