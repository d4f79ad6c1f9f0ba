import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { describe, it } from 'node:test'
import { setRoute, shop, startDynamic, storeOf, who } from './dynamic-monohull.ts'
import { defer, temporaryFolder, until } from './monohull.ts'
import { sendRaw } from './raw.ts'

describe('hosts of dynamic routes', () => {
  it('fall under the longest wildcard, and change with it at once', async t => {
    const monohull = await startDynamic(t)
    assert.equal(await who(monohull, 'a.b.customer.com'), '403')
    await setRoute(monohull, 'web', '*.customer.com')
    for (const host of ['a.customer.com', 'a.b.customer.com', 'A.B.customer.com.', 'x-1.customer.com:8443'])
      assert.equal(await who(monohull, host), 'web', host)
    assert.equal(await who(monohull, 'customer.com'), '403')
    await setRoute(monohull, 'other', '*.b.customer.com')
    assert.deepEqual([await who(monohull, 'a.b.customer.com'), await who(monohull, 'a.customer.com')], ['other', 'web'])
    await setRoute(monohull, 'web', 'a.b.customer.com')
    assert.equal(await who(monohull, 'a.b.customer.com'), 'web')
    writeFileSync(storeOf(monohull), '{"*.customer.com": "other", "bücher.example": "web"}')
    await until('the change', async () => (await who(monohull, 'a.b.customer.com')) === 'other')
    assert.equal(await who(monohull, 'a.customer.com'), 'other')
    assert.equal(await who(monohull, 'xn--bcher-kva.example'), 'web')
    writeFileSync(storeOf(monohull), '{}')
    await until('the end', async () => (await who(monohull, 'a.customer.com')) === '403')
  })

  it('are host names, else 400; and get the configured response without a route', async t => {
    const monohull = await startDynamic(t)
    const port = monohull.instance().httpPort
    const statusOf = async (host: string) =>
      (await sendRaw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).slice(9, 12)
    for (const host of ['b\xfccher.example', 'a b.example', '-a.example', '.a.example', 'a..b', '%61.example'])
      assert.equal(await statusOf(host), '400', host)
    assert.equal(await statusOf('a.example'), '403')

    for (const [unknown, expected] of [
      ['421', '421'],
      ['444', ''],
      ['page', '404'],
    ] as const) {
      const folder = temporaryFolder(t, {
        'monohull.yaml': `https: off\nserver_names: [x.example]\ndynamic_routes: { store: file, unknown: ${unknown} }\nroutes: [{ response: { status: 200, body: hello } }]\n`,
      })
      const other = await startDynamic(t, { folder })
      const text = await sendRaw(
        other.instance().httpPort,
        'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nAccept: application/json\r\nConnection: close\r\n\r\n',
      )
      assert.equal(text.slice(9, 12), expected)
      if (unknown === 'page') assert.match(text, /\r\n\r\n\{"error":"unknown_host"/)
    }
  })

  it('without a route never displace those with one, and are asked about at a bounded rate', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 50 })
    defer(t, () => agent.destroy())
    const statuses = new Set<number>()
    const visit = async (host: string) => (await monohull.request({ scheme: 'http', agent, headers: { host } })).status
    await Promise.all(
      Array.from({ length: 50 }, async (_, worker) => {
        for (let count = 0; count < 100; count++) {
          statuses.add(await visit(`r${worker}-${count}.random.example`))
          if (count % 20 === 0) assert.equal(await visit(shop), 200)
        }
      }),
    )
    assert.deepEqual(
      [...statuses].filter(status => status !== 403 && status !== 503),
      [],
    )
    assert.equal(await who(monohull), 'web')
  })
})
