import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, type Monohull, startMonohull } from './monohull.ts'
import { bodyOf, sendRaw } from './raw.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const balancer = '127.0.0.2'
const stranger = '127.0.0.3'

/** What a client may write to pass for another, or to be taken for a proxy. */
const spoofed = {
  'x-real-ip': '6.6.6.6',
  'x-forwarded-for': '6.6.6.6',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '6666',
  'x-forwarded-server': 'evil',
  'x-request-id': 'evil-id',
  'x-request-start': 't=1600000000.000',
  forwarded: 'for=6.6.6.6;proto=https',
  'x-forwarded-scheme': 'https',
  'x-forwarded-protocol': 'https',
  'x-forwarded-ssl': 'on',
  'x-forwarded-prefix': '/evil',
  'x-url-scheme': 'https',
  'client-ip': '6.6.6.6',
  'x-sendfile-type': 'X-Accel-Redirect',
  'x-accel-mapping': '/=/',
  proxy: 'http://evil.example',
}

async function seenBy(monohull: Monohull, headers: Record<string, string>, from: string, scheme: 'http' | 'https') {
  const answer = await monohull.request({ headers: { host: 'shop.example', ...headers }, from, scheme })
  assert.equal(answer.status, 200, answer.body)
  return JSON.parse(answer.body).headers as Record<string, string>
}

describe('headers about where a request came from', () => {
  it('are all made here when nobody is trusted', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_HTTPS: 'on' } })
    await monohull.serving()
    const seen = await seenBy(monohull, spoofed, stranger, 'http')
    assert.doesNotMatch(JSON.stringify(seen), /evil|6\.6\.6\.6|6666/)
    assert.equal(seen.host, 'shop.example')
    assert.equal(seen['x-real-ip'], stranger)
    assert.equal(seen['x-forwarded-for'], stranger)
    assert.equal(seen['x-forwarded-proto'], 'http')
    assert.equal(seen['x-forwarded-host'], 'shop.example')
    assert.equal(seen['x-forwarded-port'], '80')
    assert.match(seen['x-forwarded-server'] ?? '', /./)
    assert.match(seen['x-request-id'] ?? '', /^[0-9a-f]{32}$/)
    const startedMs = Number(seen['x-request-start']?.replace(/^t=/, '')) * 1000
    assert.ok(Math.abs(Date.now() - startedMs) < 60_000, seen['x-request-start'])
    for (const gone of [
      'forwarded',
      'x-forwarded-scheme',
      'x-forwarded-protocol',
      'x-forwarded-ssl',
      'x-forwarded-prefix',
      'x-url-scheme',
      'client-ip',
      'x-sendfile-type',
      'x-accel-mapping',
      'proxy',
    ])
      assert.equal(seen[gone], undefined, gone)
  })

  it('of a trusted proxy pass when they are well-formed; those of a stranger do not', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: {
        'monohull.yaml': `https: on\ntrusted_proxies: [${balancer}, 10.0.0.0/8, "fd00::/8"]\nforwarded_header: true\n`,
      },
    })
    await monohull.serving()

    const told = {
      'x-forwarded-for': '6.6.6.6, 203.0.113.7, 10.1.2.3',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.example.com:8443',
      'x-forwarded-port': '8443',
      'x-request-id': 'abc-123/4',
      'x-request-start': 't=1700000000.123',
      forwarded: 'for=6.6.6.6',
    }
    const trusted = await seenBy(monohull, told, balancer, 'http')
    // the last address that is none of the proxies: what stands before it is the client's own invention
    assert.equal(trusted['x-forwarded-for'], '203.0.113.7')
    assert.equal(trusted['x-real-ip'], '203.0.113.7')
    for (const name of [
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-forwarded-port',
      'x-request-id',
      'x-request-start',
    ] as const)
      assert.equal(trusted[name], told[name], name)
    assert.equal(trusted.forwarded, 'for=203.0.113.7;host="www.example.com:8443";proto=https')
    await monohull.seen(/203\.0\.113\.7 \S+ "GET \/ HTTP\/1\.1" 200 .* abc-123\/4/)

    const stranded = await seenBy(monohull, told, stranger, 'http')
    assert.equal(stranded['x-forwarded-for'], stranger)
    assert.equal(stranded['x-forwarded-proto'], 'http')
    assert.equal(stranded['x-forwarded-host'], 'shop.example')
    assert.notEqual(stranded['x-request-id'], told['x-request-id'])
    assert.equal(stranded.forwarded, `for=${stranger};host="shop.example";proto=http`)

    const malformed = await seenBy(
      monohull,
      {
        'x-forwarded-for': 'nobody',
        'x-forwarded-proto': 'gopher',
        'x-forwarded-host': 'a"b, c',
        'x-forwarded-port': '80;x',
        'x-request-id': 'a b',
        'x-request-start': 'soon',
      },
      balancer,
      'https',
    )
    assert.equal(malformed['x-forwarded-for'], balancer)
    assert.equal(malformed['x-forwarded-proto'], 'https')
    assert.equal(malformed['x-forwarded-host'], 'shop.example')
    assert.equal(malformed['x-forwarded-port'], '443')
    assert.match(malformed['x-request-id'] ?? '', /^[0-9a-f]{32}$/)
    assert.match(malformed['x-request-start'] ?? '', /^t=\d/)

    const ipv6 = await seenBy(monohull, { 'x-forwarded-for': '2001:db8::7', host: 'a"b' }, balancer, 'http')
    assert.equal(ipv6.forwarded, 'for="[2001:db8::7]";proto=http')
    const schemeAlone = await seenBy(monohull, { 'x-forwarded-proto': 'https' }, balancer, 'http')
    assert.equal(schemeAlone['x-forwarded-port'], '443')
    const withPort = await seenBy(
      monohull,
      { 'x-forwarded-proto': 'wss', 'x-forwarded-host': 'www.example.com:9443, b' },
      balancer,
      'http',
    )
    assert.deepEqual(
      ['proto', 'host', 'port'].map(name => withPort[`x-forwarded-${name}`]),
      ['https', 'www.example.com:9443', '9443'],
    )
    // a balancer that speaks TLS with this one alone
    const plainly = await seenBy(monohull, { 'x-forwarded-proto': 'http' }, balancer, 'https')
    assert.deepEqual([plainly['x-forwarded-proto'], plainly['x-forwarded-port']], ['http', '80'])
  })

  it('the redirect to HTTPS leaves alone what came over HTTPS to a trusted balancer, and nothing else', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: { 'monohull.yaml': `trusted_proxies: [${balancer}]\npublic_https_port: 443\n` },
    })
    await monohull.serving()
    const ask = (from: string, headers: Record<string, string>, path = '/a?b=c') =>
      monohull.request({ path, from, scheme: 'http', headers: { host: 'shop.example:8080', ...headers } })

    for (const proto of ['https', 'wss', 'HTTPS', 'https,http', 'https, https', 'wss , ws'])
      assert.equal((await ask(balancer, { 'x-forwarded-proto': proto })).status, 200, proto)
    for (const proto of ['ws', 'http,https', 'httpsx', 'ftp, https'])
      assert.equal((await ask(balancer, { 'x-forwarded-proto': proto })).status, 308, proto)
    const redirected = [
      await ask(balancer, { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'www.example.com:81' }),
      await ask(balancer, { 'x-forwarded-host': 'www.example.com' }),
      await ask(stranger, { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }),
    ]
    assert.deepEqual(
      redirected.map(({ status, headers }) => `${status} ${headers.location}`),
      ['308 https://www.example.com/a?b=c', '308 https://www.example.com/a?b=c', '308 https://shop.example/a?b=c'],
    )
    for (const path of ['/healthz', '/readyz']) assert.equal((await ask(stranger, {}, path)).status, 200)
    assert.equal((await monohull.request({ from: stranger })).status, 200)
  })

  it('of a chain of trusted proxies are those of the first of them, IPv6 and with ports too', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: {
        'monohull.yaml': 'https: off\nbind_addresses: ["::1"]\ntrusted_proxies: ["::1", "fd00::/8", 10.0.0.0/8]\n',
      },
      env: { MONOHULL_BIND_ADDRESSES: undefined },
    })
    const { httpPort } = await monohull.serving()
    const cases: [string[], string][] = [
      [[], '::1'],
      [['2001:db8::7'], '2001:db8::7'],
      [['6.6.6.6, 2001:db8::7, fd00::5, 10.1.2.3'], '2001:db8::7'],
      // each proxy a line of its own
      [['6.6.6.6, 203.0.113.7', '10.1.2.3'], '203.0.113.7'],
      [['203.0.113.7:5555'], '203.0.113.7'],
      [['[2001:db8::7]:5555'], '2001:db8::7'],
      // nobody but proxies
      [['10.0.0.1, fd00::5'], '10.0.0.1'],
      [['203.0.113.7, unknown'], '::1'],
      [[','], '::1'],
    ]
    for (const [told, client] of cases) {
      const lines = ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...told.map(line => `X-Forwarded-For: ${line}`)]
      const answer = await sendRaw(httpPort, `${lines.join('\r\n')}\r\n\r\n`, { to: '::1' })
      const { headers } = JSON.parse(bodyOf(answer))
      assert.deepEqual([headers['x-forwarded-for'], headers['x-real-ip']], [client, client], told.join(' | '))
    }
  })

  it('contain the port that the client used, and addresses of the app with it get the prefix of their route', async t => {
    const monohull = startMonohull(t, {
      files: {
        'server.cjs': `require('http').createServer((request, response) => {
          const { host, 'x-forwarded-host': own, 'x-forwarded-port': port, 'x-to': location } = request.headers
          response.writeHead(location ? 302 : 200, location ? { location } : {})
          response.end([host, own, port].join(' '))
        }).listen(3000)`,
        'monohull.yaml': `https: on
public_https_port: 8443
routes: [{ app: app }, { path: /api, app: app, strip_prefix: true }]
app: { command: [node, server.cjs], workers: 1 }
`,
      },
    })
    const { httpPort } = await monohull.serving()
    const cases: ['http' | 'https', string, string][] = [
      ['https', 'localhost:9443', 'localhost:9443 localhost:9443 9443'],
      ['http', 'Shop.example.:8080', 'shop.example:8080 shop.example:8080 8080'],
      ['https', '[::1]:9443', '[::1]:9443 [::1]:9443 9443'],
      ['https', '[::1]', '[::1] [::1] 8443'],
      ['https', 'shop.example', 'shop.example shop.example 8443'],
      ['http', 'shop.example', 'shop.example shop.example 80'],
      // not a port
      ['http', 'shop.example:', 'shop.example shop.example 80'],
      ['http', 'shop.example:80@evil.example', 'shop.example shop.example 80'],
      ['http', 'shop.example:123456', 'shop.example shop.example 80'],
    ]
    for (const [scheme, host, seen] of cases)
      assert.equal((await monohull.request({ scheme, headers: { host } })).body, seen, host)
    const absolute = (line: string, host: string) =>
      sendRaw(httpPort, `GET ${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`).then(bodyOf)
    assert.match(await absolute('http://a.test:81/', 'a.test:81'), /a\.test:81 a\.test:81 81/)
    // the host of the request line counts
    assert.match(await absolute('http://a.test/', 'b.test:81'), /a\.test a\.test 80/)

    const moved: [string, string][] = [
      ['https://localhost:9443/home', 'https://localhost:9443/api/home'],
      ['http://localhost:9443/home?a', 'http://localhost:9443/api/home?a'],
      ['https://localhost/home', 'https://localhost/api/home'],
      ['/home', '/api/home'],
      ['https://localhost:9443/api', 'https://localhost:9443/api'],
      ['https://localhost:9443/api/home', 'https://localhost:9443/api/home'],
      ['https://localhost:9443/apis', 'https://localhost:9443/api/apis'],
      // another server
      ['https://localhost:9000/home', 'https://localhost:9000/home'],
      ['https://localhost.evil.example/home', 'https://localhost.evil.example/home'],
    ]
    for (const [location, expected] of moved) {
      const headers = { host: 'localhost:9443', 'x-to': location }
      assert.equal((await monohull.request({ path: '/api/x', headers })).headers.location, expected, location)
    }
  })
})
