import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { getText, postText, requestSocket } from '../../../supervisor/base/adapters/unix-http.ts'

/** Starts a server on a unix socket and returns the path of the socket. */
async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'monohull-unix-'))
  const path = join(directory, 'a.sock')
  const server = createServer(listener).listen(path)
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  await once(server, 'listening')
  return path
}

describe('base/adapters/unix-http', () => {
  it('returns any status and body', async t => {
    const socket = await listen(t, async (request, response) => {
      response.writeHead(418).end(`${request.method} ${request.url} ${await text(request)}`)
    })
    const sent = { method: 'POST', path: '/a?b', body: 'ü' } as const
    assert.deepEqual(await requestSocket(socket, sent), { status: 418, body: 'POST /a?b ü' })
    assert.deepEqual(await requestSocket(socket, { method: 'GET', path: '/' }), { status: 418, body: 'GET / ' })
  })

  it('returns a text for status 200 only, and requires status 200 for a post', async t => {
    const socket = await listen(t, ({ url }, response) => {
      response.writeHead(url === '/' ? 200 : 500).end('hello')
    })
    assert.deepEqual([await getText(socket, '/'), await getText(socket, '/x')], ['hello', undefined])
    await postText(socket, 'x')
    const failing = await listen(t, (_, response) => void response.writeHead(503).end())
    await assert.rejects(postText(failing, 'x'), { message: 'the response has status 503' })
  })

  for (const [what, begin] of [
    ['no response', () => {}],
    ['half a response', (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('half')],
  ] as [string, RequestListener][])
    it(`fails at the timeout after ${what}`, async t => {
      const socket = await listen(t, begin)
      const sent = requestSocket(socket, { method: 'GET', path: '/', timeoutMs: 100 })
      await assert.rejects(sent, { message: 'no response within 0.1 s' })
    })

  it('fails at once if the response is cut off', async t => {
    const socket = await listen(t, (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy())
    })
    await assert.rejects(requestSocket(socket, { method: 'GET', path: '/' }), { code: 'ECONNRESET' })
    assert.equal(await getText(socket, '/'), undefined)
  })

  it('fails with the system error if nothing listens', async () => {
    await assert.rejects(requestSocket('/nowhere/a.sock', { method: 'GET', path: '/' }), { code: 'ENOENT' })
    assert.equal(await getText('/nowhere/a.sock', '/'), undefined)
  })
})
