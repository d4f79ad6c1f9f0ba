import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { askSocket, getText, postText } from '../../../supervisor/base/adapters/unix-http.ts'

/** A server on a unix socket; gives the path of that. */
async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-unix-'))
  const path = join(folder, 'a.sock')
  const server = createServer(answer).listen(path)
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })
  await once(server, 'listening')
  return path
}

describe('adapters/unix-http', () => {
  it('gives the status and the body, whatever they are', async t => {
    const socket = await listen(t, async (request, response) => {
      response.writeHead(418).end(`${request.method} ${request.url} ${await text(request)}`)
    })
    const asked = { method: 'POST', path: '/a?b', body: 'ü' } as const
    assert.deepEqual(await askSocket(socket, asked), { status: 418, body: 'POST /a?b ü' })
    assert.deepEqual(await askSocket(socket, { method: 'GET', path: '/' }), { status: 418, body: 'GET / ' })
  })

  it('gives a text for a 200 alone, and takes nothing else for an answer to one that is sent', async t => {
    const socket = await listen(t, ({ url }, response) => {
      response.writeHead(url === '/' ? 200 : 500).end('hello')
    })
    assert.deepEqual([await getText(socket, '/'), await getText(socket, '/x')], ['hello', undefined])
    await postText(socket, 'x')
    const failing = await listen(t, (_, response) => void response.writeHead(503).end())
    await assert.rejects(postText(failing, 'x'), { message: 'it answers 503' })
  })

  for (const [what, begin] of [
    ['nothing at all', () => {}],
    ['half an answer', (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('half')],
  ] as [string, RequestListener][])
    it(`gives up on ${what} when its time is over`, async t => {
      const socket = await listen(t, begin)
      const asked = askSocket(socket, { method: 'GET', path: '/', timeoutMs: 100 })
      await assert.rejects(asked, { message: 'nothing came within 0.1 s' })
    })

  it('gives up at once on an answer that breaks off', async t => {
    const socket = await listen(t, (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy())
    })
    await assert.rejects(askSocket(socket, { method: 'GET', path: '/' }), { code: 'ECONNRESET' })
    assert.equal(await getText(socket, '/'), undefined)
  })

  it('says that nobody is there as the system does', async () => {
    await assert.rejects(askSocket('/nowhere/a.sock', { method: 'GET', path: '/' }), { code: 'ENOENT' })
    assert.equal(await getText('/nowhere/a.sock', '/'), undefined)
  })
})
