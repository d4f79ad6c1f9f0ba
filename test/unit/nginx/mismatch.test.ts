import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createErrorLines, nameWorkers } from '../../../supervisor/nginx/error-lines.ts'
import { explainMismatch } from '../../../supervisor/nginx/mismatch.ts'

// messages of nginx 1.22 about servers of these kinds
const rest = 'while reading response header from upstream, client: 127.0.0.1, server: , request: "GET / HTTP/1.1"'
const cases: [string, string, RegExp | undefined][] = [
  ['HTTP behind fastcgi', `upstream sent unsupported FastCGI protocol version: 72 ${rest}`, /in HTTP, not FastCGI/],
  ['HTTP behind grpc', `upstream sent too large http2 frame: 4740180 ${rest}`, /in HTTP\/1, not gRPC/],
  [
    'plain HTTP behind tls',
    'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream, client: x',
    /does not speak TLS/,
  ],
  ['a server that closed', `upstream prematurely closed connection ${rest}`, undefined],
  [
    'the words of a client',
    'access forbidden, request: "GET /upstream sent too large http2 frame: 4740180 "',
    undefined,
  ],
]

describe('nginx/mismatch', () => {
  for (const [what, message, explanation] of cases)
    it(`${explanation ? 'explains' : 'leaves'} ${what}`, () => {
      const found = explainMismatch(message)
      if (explanation) assert.match(found ?? '', explanation)
      else assert.equal(found, undefined)
    })

  it('stands at the end of the line, and in a field in JSON', () => {
    const line = Buffer.from(
      `2026/12/01 04:37:06 [error] 7#7: *1 ${cases[0]?.[1]}, upstream: "fastcgi://unix:/r/app-1.sock:"\n`,
    )
    const workerAt = () => 'app.1'
    assert.match(
      nameWorkers(line, workerAt).toString(),
      /, worker: "app\.1", explanation: "the server responds in HTTP, .*"\n$/,
    )
    const record = JSON.parse(createErrorLines({ now: () => 0, workerAt })(line))
    assert.match(record.explanation, /^the server responds in HTTP/)
  })
})
