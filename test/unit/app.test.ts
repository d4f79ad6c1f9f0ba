import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import request from 'supertest'
import { createApp } from '../../app/app.ts'

const inPool = { MONOHULL_APP: 'app', MONOHULL_WORKER: 'app.2', MONOHULL_SLOT: '2', MONOHULL_WORKERS: '4' }

const overHttps = {
  Host: 'shop.example',
  'X-Real-IP': '203.0.113.7',
  'X-Forwarded-For': '203.0.113.7',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'shop.example',
  'X-Forwarded-Port': '8443',
  'X-Request-Id': '5f0e3a6c1d2b4e8f9a7c6b5d4e3f2a10',
  'X-SSL-Protocol': 'TLSv1.3',
  'X-SSL-Cipher': 'TLS_AES_256_GCM_SHA384',
  'X-SSL-Server-Name': 'shop.example',
}

const ofBrowser = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9',
  'Sec-Fetch-Mode': 'navigate',
  'Upgrade-Insecure-Requests': '1',
}

function appWith(env: Record<string, string>, uptimeSeconds = 3725) {
  return createApp({ env, pid: 4711, uptimeSeconds: () => uptimeSeconds })
}

describe('the page', () => {
  it('names the worker that responded', async () => {
    const app = appWith(inPool)
    await request(app).get('/api/worker')
    const { text } = await request(app)
      .get('/')
      .expect(200)
      .expect('Content-Type', /^text\/html; charset=utf-8/)
    assert.match(text, /<title>app\.2 responded/)
    assert.match(text, /worker 2 of 4/)
    assert.match(text, /pid 4711 · up 1 h 2 min · 2 requests/)
  })

  it('tells the protocol and the certificate', async () => {
    const { text } = await request(appWith(inPool)).get('/').set(overHttps)
    for (const fact of ['HTTPS', 'TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'Certificate for shop.example', '203.0.113.7']) {
      assert.ok(text.includes(fact), fact)
    }
    assert.match(text, /requested shop\.example:8443/)
    assert.match(text, /self-signed, only your browser can tell/)
  })

  it('says that plain HTTP is not encrypted', async () => {
    const plain = { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'shop.example', 'X-Forwarded-Port': '80' }
    const { text } = await request(appWith(inPool)).get('/').set(plain)
    assert.match(text, /not encrypted/)
    assert.match(text, /No certificate/)
    assert.match(text, /requested shop\.example</)
  })

  it('lists the request headers, those of nginx apart', async () => {
    const { text } = await request(appWith(inPool)).get('/').set(overHttps).set('X-Colour', 'blue')
    const [ofNginx = '', sent = ''] = text.split('Sent by your browser')
    assert.match(ofNginx, /Added by nginx.*x-request-id<\/th><td>5f0e3a6c1d2b4e8f9a7c6b5d4e3f2a10</s)
    assert.match(sent, /x-colour<\/th><td>blue</)
    assert.doesNotMatch(sent, /x-forwarded/)
  })

  it('lists every header that nginx sets as one of nginx', async () => {
    const snippet = readFileSync(new URL('../../nginx/snippets/proxy.conf', import.meta.url), 'utf8')
    const ofConnection = ['Host', 'Connection', 'Upgrade']
    const names = [...snippet.matchAll(/^proxy_set_header (\S+) \$/gm)].flatMap(([, name = '']) =>
      ofConnection.includes(name) ? [] : name,
    )
    const { text } = await request(appWith(inPool))
      .get('/')
      .set(Object.fromEntries(names.map(name => [name, 'x'])))
    const [, sent = ''] = text.split('Sent by your browser')
    assert.ok(names.length >= 9)
    for (const name of names) assert.ok(!sent.includes(`${name.toLowerCase()}</th>`), name)
  })

  it('tells what to do next', async () => {
    const { text } = await request(appWith(inPool)).get('/')
    const shown = text.replaceAll(/<[^>]+>/g, '').replaceAll('&quot;', '"')
    const dockerfile = 'FROM monohull\nCOPY . /app\nRUN npm ci --omit=dev\nCMD ["monohull", "run", "node", "server.js"]'
    assert.ok(shown.includes(dockerfile))
    assert.ok(shown.includes('monohull run node server.js'))
  })

  it('says when it runs without monohull, and then believes no forwarded header', async () => {
    const { text } = await request(appWith({})).get('/').set(overHttps)
    assert.match(text, /Running <em>without<\/em> Monohull/)
    assert.doesNotMatch(text, /Added by nginx|HTTPS<|Certificate for/)
    assert.match(text, /x-forwarded-proto<\/th><td>https</)
  })

  it('escapes hostile headers and names', async () => {
    const hostile = `"><script>alert('1')</script>&`
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;'
    const everyHeader = Object.fromEntries(
      [...Object.keys(overHttps).filter(name => name !== 'X-Forwarded-Proto'), 'X-Colour'].map(name => [name, hostile]),
    )
    const app = appWith({ ...inPool, MONOHULL_WORKER: hostile })
    const { text } = await request(app).get('/').set(everyHeader).set('X-Forwarded-Proto', 'https')
    assert.ok(!text.includes('<script'))
    assert.ok(text.includes(`x-colour</th><td>${escaped}</td>`))
    assert.ok(text.includes(`<b>Certificate for ${escaped}</b>`))
    assert.ok(text.includes(`<title>${escaped} responded`))
  })

  it('shortens a long header', async () => {
    const { text } = await request(appWith(inPool)).get('/').set('X-Long', 'x'.repeat(8000))
    assert.ok(text.includes(`<td>${'x'.repeat(240)}…</td>`))
  })

  it('is small, and needs nothing but itself', async () => {
    const { text } = await request(appWith(inPool)).get('/').set(overHttps).set(ofBrowser)
    assert.ok(Buffer.byteLength(text) < 8192, `${Buffer.byteLength(text)} bytes`)
    const withoutNamespace = text.replace('http://www.w3.org/2000/svg', '')
    assert.equal(/<script|@import|url\(|src=|style=|https?:\/\//.exec(withoutNamespace), null)
  })

  it('allows its own style sheet only', async () => {
    const response = await request(appWith(inPool)).get('/')
    const sheet = /<style>(.*)<\/style>/s.exec(response.text)?.[1] ?? ''
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(sheet))).toString('base64')
    const policy = response.headers['content-security-policy'] ?? ''
    assert.ok(policy.startsWith(`default-src 'none'; style-src 'sha256-${digest}'`), policy)
    assert.match(policy, /frame-ancestors 'none'/)
  })
})

describe('GET /api/worker', () => {
  it('tells the same as JSON', async () => {
    const app = appWith(inPool, 12.9)
    await request(app).get('/')
    const { body } = await request(app)
      .get('/api/worker')
      .set(overHttps)
      .expect('Content-Type', /^application\/json/)
    const { headers, ...facts } = body
    assert.deepEqual(facts, {
      monohull: { app: 'app', worker: 'app.2', slot: 2, workers: 4 },
      pid: 4711,
      node: process.version,
      uptimeSeconds: 12,
      requests: 2,
      client: { address: '203.0.113.7', protocol: 'https', host: 'shop.example:8443' },
      tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'shop.example' },
      httpVersion: '1.1',
    })
    assert.equal(headers['x-request-id'], '5f0e3a6c1d2b4e8f9a7c6b5d4e3f2a10')
  })

  it('knows no worker and no TLS without monohull', async () => {
    const { body } = await request(appWith({})).get('/api/worker').set(overHttps)
    assert.equal(body.monohull, null)
    assert.equal(body.tls, null)
    assert.equal(body.client.protocol, 'http')
    assert.equal(body.client.host, 'shop.example')
  })

  it('takes TLS details that nginx left empty as unknown', async () => {
    const noName = { ...overHttps, 'X-SSL-Server-Name': '' }
    const { body } = await request(appWith(inPool)).get('/api/worker').set(noName)
    assert.equal(body.tls.serverName, null)
  })

  it('reads four variables of the environment, and tells no other', async () => {
    const read: string[] = []
    const env = new Proxy<Record<string, string>>(
      { ...inPool, DATABASE_PASSWORD: 'correct horse' },
      {
        get(target, name) {
          read.push(String(name))
          return target[String(name)]
        },
        ownKeys: () => assert.fail('the whole environment was listed'),
      },
    )
    const { text } = await request(createApp({ env, pid: 1, uptimeSeconds: () => 0 })).get('/api/worker')
    assert.deepEqual([...new Set(read)].sort(), Object.keys(inPool).sort())
    assert.ok(!text.includes('correct horse'))
  })

  it('repeats no credentials', async () => {
    const secrets = { Cookie: 'session=s3cret', Authorization: 'Basic s3cret', 'Proxy-Authorization': 's3cret' }
    for (const path of ['/', '/api/worker']) {
      const { text } = await request(appWith(inPool)).get(path).set(secrets)
      assert.ok(!text.includes('s3cret'), path)
      assert.ok(text.includes('(hidden, 14 characters)'), path)
    }
  })
})

describe('POST /echo', () => {
  it('tells the size of the body, whatever its type', async () => {
    for (const type of ['application/json', 'application/octet-stream', 'text/plain']) {
      await request(appWith(inPool)).post('/echo').type(type).send('{"broken'.repeat(1000)).expect(200, { bytes: 8000 })
    }
  })

  it('takes an empty body', async () => {
    await request(appWith(inPool)).post('/echo').expect(200, { bytes: 0 })
  })

  it('takes a request without any body, as nginx passes it on', { timeout: 10_000 }, async t => {
    const server = appWith(inPool).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    assert.match(await text(socket), /^HTTP\/1\.1 200 .*\{"bytes":0\}$/s)
  })

  it('refuses more than 1 MB, without a stack', async () => {
    const body = Buffer.alloc(1024 * 1024 + 1)
    const { text } = await request(appWith(inPool)).post('/echo').type('bin').send(body).expect(413)
    assert.equal(text, 'request entity too large\n')
  })
})

describe('everything else', () => {
  it('is a 404 in plain text', async () => {
    await request(appWith(inPool))
      .get('/missing/<b>')
      .expect(404, 'Not found: GET /missing/%3Cb%3E\n')
      .expect('Content-Type', /^text\/plain/)
    await request(appWith(inPool)).post('/').expect(404)
  })

  it('answers a fault of its own without telling about it, and logs it', async t => {
    const logged = t.mock.method(console, 'error', () => {})
    const app = createApp({ env: {}, pid: 1, uptimeSeconds: () => assert.fail('the inside') })
    await request(app).get('/').expect(500, 'Internal error\n')
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /the inside/)
  })

  it('carries the security headers, and no name of the framework', async () => {
    for (const path of ['/', '/api/worker', '/missing']) {
      const { headers } = await request(appWith(inPool)).get(path)
      assert.equal(headers['x-content-type-options'], 'nosniff', path)
      assert.equal(headers['referrer-policy'], 'no-referrer', path)
      assert.equal(headers['cache-control'], 'no-store', path)
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/, path)
      assert.equal(headers['x-powered-by'], undefined, path)
    }
  })
})
