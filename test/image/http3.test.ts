import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { startContainer, until } from './docker.ts'

/** Sockets bound to UDP port 443, as /proc/net/udp writes them. */
const boundUdp = /: [0-9A-F]+:01BB /

describe('HTTP/3 in the image', () => {
  for (const [who, args] of [
    ['root', []],
    ['a user without capabilities', ['--user', '12345', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']],
  ] as const) {
    it(`is on UDP 443 with http3: true, started as ${who}, and told of`, async t => {
      const container = await startContainer(t, { args: ['--env', 'MONOHULL_HTTP3=true', ...args] })
      const { status, headers } = await ask(`${await container.https()}/`)
      assert.equal(status, 200)
      assert.equal(headers['alt-svc'], 'h3=":443"; ma=86400')
      assert.equal((await ask(`${await container.http()}/healthz`)).headers['alt-svc'], undefined)
      assert.match((await container.exec('cat', '/proc/net/udp')).stdout, boundUdp)
      await container.exec('monohull', 'reload')
      await until('the reload', async () => (await container.logs()).includes('reload finished'))
      assert.equal((await ask(`${await container.https()}/`)).status, 200)
    })
  }

  it('is not there without it', async t => {
    const container = await startContainer(t)
    assert.equal((await ask(`${await container.https()}/`)).headers['alt-svc'], undefined)
    assert.doesNotMatch((await container.exec('cat', '/proc/net/udp')).stdout, boundUdp)
  })
})
