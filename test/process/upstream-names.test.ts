import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defer, needsRoot, startMonohull, temporaryFolder, until } from './monohull.ts'

/** A server elsewhere that tells its address; its port. */
async function startServer(t: TestContext, address: string, port = 0): Promise<number> {
  const server = http.createServer((_, response) => response.end(address)).listen(port, address)
  await once(server, 'listening')
  defer(t, () => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

describe('a server that is known by name', { skip: needsRoot }, () => {
  it('is found where it has gone, without a restart and without a failed request', async t => {
    const port = await startServer(t, '127.0.0.2')
    await startServer(t, '127.0.0.3', port)
    // a hosts file that this program alone sees
    const hosts = join(temporaryFolder(t, { hosts: '127.0.0.2 legacy.test\n' }), 'hosts')
    const monohull = startMonohull(t, {
      through: ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts],
      files: {
        'monohull.yaml': `https: off
upstreams: { legacy: { servers: ["legacy.test:${port}", "nowhere.test:80"] } }
routes: [{ upstream: legacy }]
`,
      },
    })
    await monohull.serving()
    const nginx = monohull.nginx()
    const answering = async () => {
      const { status, body } = await monohull.request()
      assert.equal(status, 200)
      return body
    }
    assert.equal(await answering(), '127.0.0.2')
    writeFileSync(hosts, '127.0.0.3 legacy.test\n')
    await until('the server at its other address', async () => (await answering()) === '127.0.0.3')
    await monohull.seen(/info server addresses changed name=legacy\.test addresses=127\.0\.0\.3 were=127\.0\.0\.2/)

    // and one that was nowhere
    writeFileSync(hosts, '127.0.0.3 legacy.test\n127.0.0.2 nowhere.test\n')
    await monohull.seen(/info server name resolves again name=nowhere\.test addresses=127\.0\.0\.2/)
    assert.equal(await answering(), '127.0.0.3')
    assert.equal(monohull.nginx(), nginx)
  })
})
