import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMismatchWatch, suspectIn } from '../../../supervisor/nginx/mismatch-watch.ts'
import type { Spoken } from '../../../supervisor/nginx/spoken.ts'

const closed = 'upstream prematurely closed connection'
const message = (upstream: string, sign = closed, request = 'GET / HTTP/1.1') =>
  `${sign} while reading response header from upstream, client: 127.0.0.1, server: , request: "${request}", upstream: "${upstream}", host: "a"`

describe('nginx/mismatch-watch', () => {
  it('suspects the server of an upstream that closed without a response', () => {
    assert.deepEqual(suspectIn(message('http://10.0.0.2:8443/')), { protocol: 'http', host: '10.0.0.2', port: 8443 })
    const reset = 'recv() failed (104: Connection reset by peer)'
    assert.deepEqual(suspectIn(message('grpc://[::1]:5000', reset)), { protocol: 'grpc', host: '::1', port: 5000 })
    const text = message('fastcgi://127.0.0.1:9000', closed, 'GET /", upstream: "http://1.2.3.4:5/" HTTP/1.1')
    assert.deepEqual(suspectIn(text), { protocol: 'fastcgi', host: '127.0.0.1', port: 9000 })
  })

  it('suspects no worker, no server with TLS, and nobody in the words of a client', () => {
    assert.equal(suspectIn(message('http://unix:/run/app-1.sock:/')), undefined)
    assert.equal(suspectIn(message('https://127.0.0.1:8443/')), undefined)
    assert.equal(suspectIn(message('http://127.0.0.1:80/', 'connect() failed (111: Connection refused)')), undefined)
    assert.equal(suspectIn(`access forbidden by rule, request: "GET /${message('http://1.2.3.4:5/')}"`), undefined)
  })

  it('asks each server once in a while, and logs only what it has shown', async () => {
    let now = 0
    let spoken: Spoken | undefined
    const asked: number[] = []
    const logged: unknown[] = []
    const note = createMismatchWatch({
      clock: { monotonic: () => now },
      log: { warn: (...line) => logged.push(line) },
      spokenInstead: async ({ port }) => {
        asked.push(port)
        return spoken
      },
    })
    note(message('http://127.0.0.1:1/'))
    note(message('http://127.0.0.1:1/'))
    await new Promise(setImmediate)
    assert.deepEqual([asked, logged], [[1], []])
    spoken = 'tls'
    now = 300_000
    note(message('http://127.0.0.1:1/'))
    note(message('http://127.0.0.1:2/'))
    await new Promise(setImmediate)
    assert.deepEqual(asked, [1, 1, 2])
    const fix = 'set tls of the upstream (tls: {}), or name its port without TLS'
    const what = 'a server of an upstream speaks TLS, and nginx speaks http to it'
    assert.deepEqual(logged[0], [what, { server: '127.0.0.1:1', fix }])
  })
})
