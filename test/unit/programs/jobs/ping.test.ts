import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { ping } from '../../../../supervisor/programs/jobs/adapters/ping.ts'

describe('programs/jobs/adapters/ping', { timeout: 20_000 }, () => {
  it('requests a URL until the response is a success', async t => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`)
      response.writeHead(seen.length === 1 ? 503 : 200).end()
    })
    t.after(() => server.close())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await ping(`http://127.0.0.1:${port}/uuid?a=1`)
    assert.deepEqual(seen, ['GET /uuid?a=1', 'GET /uuid?a=1'])
  })
})
