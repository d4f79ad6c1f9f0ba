import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startMonohull } from './monohull.ts'

const program = `require('node:http')
  .createServer((request, response) => {
    const end = () => response.end(request.url)
    if (request.url === '/early') response.writeEarlyHints({ link: '</a.css>; rel=preload' }, end)
    else if (request.url === '/processing') end(response.writeProcessing())
    else if (request.url === '/continue') end(response.writeContinue())
    else end()
  })
  .listen(3000)
`

describe('informational responses', () => {
  it('of a Node app do not keep nginx from the final one', async t => {
    const monohull = startMonohull(t, { args: ['run', 'node', 'server.cjs'], files: { 'server.cjs': program } })
    await monohull.serving()
    for (const path of ['/early', '/processing', '/continue', '/']) {
      const { status, body } = await monohull.request({ path })
      assert.deepEqual([status, body], [200, path])
    }
  })
})
