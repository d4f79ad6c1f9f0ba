import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, it } from 'node:test'
import { createGatekeeper } from '../../../supervisor/certificates/on-demand/adapters/endpoint.ts'

describe('adapters/ask-endpoint', () => {
  it('says that nothing came when the endpoint takes the request and is silent', async t => {
    const server = net.createServer(socket => socket.resume()).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as net.AddressInfo
    await assert.rejects(createGatekeeper(`http://127.0.0.1:${port}/allowed`).isAllowed('a.test'), {
      message: `http://127.0.0.1:${port} does not answer: nothing came within 5 s`,
    })
  })
})
