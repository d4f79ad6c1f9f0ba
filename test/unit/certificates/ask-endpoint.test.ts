import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, it } from 'node:test'
import { createGatekeeper } from '../../../supervisor/certificates/on-demand/adapters/endpoint.ts'

describe('certificates/on-demand: endpoint', () => {
  it('reports a timeout if the endpoint accepts the request and does not respond', async t => {
    const server = net.createServer(socket => socket.resume()).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as net.AddressInfo
    await assert.rejects(createGatekeeper(`http://127.0.0.1:${port}/allowed`).isAllowed('a.test'), {
      message: `http://127.0.0.1:${port} does not respond: no response within 5 s`,
    })
  })
})
