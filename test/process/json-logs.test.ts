import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { readFileSync, renameSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defer, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { sendRaw } from './raw.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const json = { MONOHULL_LOG_FORMAT: 'json', MONOHULL_WORKERS: '1' }

/** Every line that it printed; one that is not JSON in UTF-8 fails. */
function recordsOf({ folder }: Pick<Monohull, 'folder'>) {
  const bytes = readFileSync(join(folder, 'output.log'))
  assert.ok(isUtf8(bytes), bytes.toString('latin1'))
  const lines = bytes.toString().split('\n')
  assert.equal(lines.pop(), '')
  return lines.map(line => JSON.parse(line))
}

const found = (monohull: Monohull, what: string, test: (record: Record<string, unknown>) => boolean) =>
  until(what, () => recordsOf(monohull).find(test), { details: monohull.output })

async function stopped(monohull: Monohull) {
  monohull.signal('SIGTERM')
  assert.equal(await monohull.exited, 0)
  return recordsOf(monohull)
}

describe('logs as JSON', () => {
  it('escape each byte of a client that is not UTF-8, wherever it is', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...json, MONOHULL_HTTPS: 'off' } })
    const { httpPort } = await monohull.serving()
    const rest = 'Connection: close\r\n\r\n'
    const requests: [string, string, string][] = [
      ['user_agent', `GET /1 HTTP/1.1\r\nHost: a\r\nUser-Agent: x\xff\xfe"\\\r\n${rest}`, 'x\\xFF\\xFE"\\'],
      ['referer', `GET /2 HTTP/1.1\r\nHost: a\r\nReferer: http://\xc3(/\r\n${rest}`, 'http://\\xC3(/'],
      ['uri', `GET /3\x80?\xed\xa0\x80 HTTP/1.1\r\nHost: a\r\n${rest}`, '/3\\x80?\\xED\\xA0\\x80'],
      ['host', `GET /4 HTTP/1.1\r\nHost: a\xc0\xaf\r\n${rest}`, 'a\\xC0\\xAF'],
      ['method', `G\xffT /5 HTTP/1.1\r\nHost: a\r\n${rest}`, 'G\\xFFT'],
      [
        'user_agent',
        `GET /6 HTTP/1.1\r\nHost: a\r\nUser-Agent: \xc3\xbc\xf0\x9f\x9a\x80\xf4\x90\x80\x80\r\n${rest}`,
        'ü🚀\\xF4\\x90\\x80\\x80',
      ],
    ]
    for (const [, request] of requests) await sendRaw(httpPort, request)
    for (const [field, , text] of requests)
      await found(monohull, `${field} ${text}`, record => record.stream === 'access' && record[field] === text)
    assert.equal((await stopped(monohull)).filter(({ stream }) => stream === 'access').length, requests.length)
  })

  it('have such lines in access.log and for syslog too, once each, and not in monohull.log', async t => {
    let received = ''
    const server = net.createServer(socket => socket.on('data', data => (received += data)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    defer(t, () => server.close())
    const folder = temporaryFolder(t)
    const { port } = server.address() as net.AddressInfo
    const logs = `logs: { files: { directory: ${folder} }, syslog: "tcp://127.0.0.1:${port}" }`
    const files = { 'monohull.yaml': `https: off\n${logs}\n` }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    const { httpPort } = await monohull.serving()
    const request = (agent: string) => `GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}\r\nConnection: close\r\n\r\n`
    const read = (name: string) => readFileSync(join(folder, name))
    const count = (text: string) => text.split('x\\\\xFF').length - 1
    await sendRaw(httpPort, request('x\xff'))
    await until('the line in access.log', () => count(read('access.log').toString()) > 0)
    // a rotation
    renameSync(join(folder, 'access.log'), join(folder, 'access.moved'))
    await sendRaw(httpPort, request('x\xff'))
    await until('the line in the new file', () => count(received) === 2, { details: () => received })
    await stopped(monohull)
    assert.deepEqual([count(read('access.moved').toString()), count(read('access.log').toString())], [1, 1])
    assert.ok(isUtf8(read('access.moved')))
    assert.deepEqual([count(monohull.output()), count(read('monohull.log').toString())], [2, 0])
  })

  it('name the worker or upstream, and have numbers for a request that none or several had', async t => {
    const files = {
      'monohull.yaml': `https: off
upstreams: { gone: { servers: ["127.0.0.1:1"] } }
routes: [{ app: app }, { path: /said, response: { body: x } }, { path: /gone, upstream: gone }]
`,
    }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    await monohull.serving()
    await monohull.request({ path: '/said' })
    await monohull.request({ path: '/app' })
    for (const path of ['/crash', '/gone']) await monohull.request({ path })
    const access = (uri: string) => found(monohull, uri, record => record.uri === uri)
    const peers = async (uri: string) => {
      const { worker, upstream, upstream_seconds } = await access(uri)
      return [worker, upstream, typeof upstream_seconds]
    }
    assert.deepEqual(await peers('/said'), ['', '', 'object'])
    assert.deepEqual(await peers('/app'), ['app.1', '', 'number'])
    assert.deepEqual(await peers('/crash'), ['app.1', '', 'number'])
    assert.deepEqual(await peers('/gone'), ['', '127.0.0.1:1', 'number'])
  })

  it('wrap what nginx writes, with its level and the worker or upstream, and say nothing of inherited sockets', async t => {
    const files = {
      'monohull.yaml': `https: off
upstreams: { gone: { servers: ["127.0.0.1:1"] } }
routes: [{ app: app }, { path: /gone, upstream: gone }]
`,
    }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    await monohull.serving()
    await monohull.request({ path: '/gone', headers: { referer: 'http://x/?", upstream: ' } })
    await monohull.request({ path: '/crash' })
    const upstream = await found(
      monohull,
      'the upstream',
      record => record.upstream === '127.0.0.1:1' && record.stream === 'error',
    )
    assert.deepEqual([upstream.source, upstream.level], ['nginx', 'error'])
    assert.match(upstream.message, /^connect\(\) failed .*Connection refused/)
    const worker = await found(monohull, 'the worker', record => record.worker === 'app.1' && record.stream === 'error')
    assert.match(worker.message, /^upstream prematurely closed connection/)
    for (const { message } of await stopped(monohull)) assert.doesNotMatch(message ?? '', /inherited/)
  })

  it('have the fields, and only the requests, that access_log names, without what it redacts', async t => {
    const files = {
      'monohull.yaml': `https: off
trusted_proxies: [127.0.0.2]
upstreams: { gone: { servers: ["127.0.0.1:1"] } }
routes: [{ app: app }, { path: /gone, upstream: gone }]
access_log:
  fields: [remote_addr, uri, referer, seconds]
  exclude_paths: [/healthz, /assets/*]
  redact: [query, remote_addr]
  sample: 0
`,
    }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    await monohull.serving()
    for (const path of ['/fine', '/assets/gone', '/healthz']) await monohull.request({ path })
    const failed = (address: string) =>
      monohull.request({
        path: '/gone?token=secret&x="/?',
        headers: { referer: 'http://a/?token=secret', 'x-forwarded-for': address },
        from: '127.0.0.2',
      })
    await failed('203.0.113.7')
    await failed('2001:db8::7')
    await failed('2001:db8:1:2::7')
    const hasAll = () => recordsOf(monohull).filter(({ stream }) => stream === 'access').length === 3
    await until('the lines', hasAll, { details: monohull.output })
    await found(
      monohull,
      'the error',
      record => record.stream === 'error' && `${record.message}`.includes('2001:db8:1::'),
    )
    const records = await stopped(monohull)
    const access = records.filter(({ stream }) => stream === 'access')
    assert.deepEqual(
      access.map(({ time: _, pid: __, seconds, ...rest }) => ({ ...rest, seconds: typeof seconds })),
      ['203.0.113.0', '2001:db8::', '2001:db8:1::'].map(remote_addr => ({
        ...{ source: 'nginx', stream: 'access', remote_addr, uri: '/gone?[redacted]' },
        ...{ referer: 'http://a/?[redacted]', seconds: 'number' },
      })),
    )
    assert.doesNotMatch(JSON.stringify(records), /secret|113\.7|::7/)
  })

  for (const format of ['json', 'text'])
    it(`have no value of a parameter that access_log.redact names, as ${format}`, async t => {
      const files = {
        'monohull.yaml': `https: off
upstreams: { gone: { servers: ["127.0.0.1:1"] } }
routes: [{ path: /, upstream: gone }]
access_log: { redact: [query.token, query.key, 'query.$a+{b}"'] }
`,
      }
      const monohull = startMonohull(t, { args: ['run'], env: { ...json, MONOHULL_LOG_FORMAT: format }, files })
      await monohull.serving()
      const cases: [string, string][] = [
        ['/1?a=1&token=secret&b=2', '/1?a=1&token=[redacted]&b=2'],
        ['/2?token=secret', '/2?token=[redacted]'],
        ['/3?%54OKEN=secret&key=secret&c', '/3?%54OKEN=[redacted]&key=[redacted]&c'],
        ['/4?token=secret&a=1&token=secret&b=2', '/4?token=[redacted]'],
        ['/5?token[x]=secret&mytoken=kept', '/5?token[x]=[redacted]&mytoken=kept'],
        ['/6/token=kept?x', '/6/token=kept?x'],
        ['/7?a=secret?token=secret', '/7?a=secret?token=[redacted]'],
        ['/8?token=secret&token=secret&token=secret', '/8?token=[redacted]'],
        [
          '/9?a=1;token=secret;token=secret&key=secret&b=2&key=secret&key=secret',
          '/9?a=1;token=[redacted]&key=[redacted]',
        ],
      ]
      cases.push([
        '/10?$a+{b}"=secret&%24A%2b%7bb%7D%22=secret',
        `/10?$a+{b}${format === 'json' ? '\\"' : '\\x22'}=[redacted]`,
      ])
      for (const [path] of cases) await monohull.request({ path, headers: { referer: `http://a${path}` } })
      const hasLine = (text: string) =>
        until(text, () => monohull.output().includes(text), { details: monohull.output })
      for (const [, shown] of cases) {
        await hasLine(format === 'json' ? `"uri":"${shown}"` : `"GET ${shown} HTTP/1.1" 502`)
        if (format === 'json') await hasLine(`"referer":"http://a${shown}"`)
      }
      await monohull.seen(/GET \/7\?a=secret\?token=\[redacted\] HTTP/)
      assert.doesNotMatch(monohull.output().replaceAll('a=secret?', ''), /secret/)
    })

  it('have no part of a line that is no request but what may be a method', async t => {
    const files = { 'monohull.yaml': 'https: off\naccess_log: { redact: [query] }\n' }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    const { httpPort } = await monohull.serving()
    const lines: [string, string][] = [
      ['GET/1?token=secret', 'GET'],
      ['/2?token=secret HTTP/1.1', ''],
      ['token=secret', 'token'],
      ['http://a/?token=secret', 'http'],
    ]
    const access = () => recordsOf(monohull).filter(({ stream }) => stream === 'access')
    // one after the other: nginx's workers write their lines in any order
    for (const [index, [line]] of lines.entries()) {
      await sendRaw(httpPort, `${line}\r\n\r\n`)
      await until('its line', () => access().length > index, { details: monohull.output })
    }
    assert.deepEqual(
      access().map(({ status, method }) => [status, method]),
      lines.map(([, method]) => [400, method]),
    )
    assert.doesNotMatch(JSON.stringify(await stopped(monohull)), /secret/)
  })

  it('keep a broken PROXY header in one line, whatever it contains', async t => {
    const files = { 'monohull.yaml': 'https: off\ntrusted_proxies: [127.0.0.1]\nproxy_protocol: true\n' }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    const { httpPort } = await monohull.serving()
    await sendRaw(httpPort, 'first\n\n\xff"}\n2026/01/01 00:00:00 [emerg] 1#1: forged\n{"level":"forged"}\n')
    const record = await found(monohull, 'the header', ({ message }) => /broken header/.test(String(message)))
    assert.equal(record.level, 'error')
    assert.match(
      record.message,
      /^broken header: "first\n\n\\xFF"}\n2026.*forged\n.*" while reading PROXY protocol, client: /s,
    )
    assert.equal((await stopped(monohull)).filter(({ level }) => level === 'emerg' || level === 'forged').length, 0)
  })

  it('contain no text of Node, which warns of a request that names a whole URL', async t => {
    const files = { 'monohull.yaml': 'https: off\nadmin: { port: 0 }\n' }
    const monohull = startMonohull(t, { args: hello, env: json, files })
    await monohull.serving()
    const page = await found(monohull, 'the port', ({ message }) => message === 'status page')
    const { port, host } = new URL(String(page?.url))
    const response = await sendRaw(
      Number(port),
      `GET http://${host}/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(response, /^HTTP\/1\.1 200 /)
    await stopped(monohull)
  })

  it('contain the problems of a start that fails', async t => {
    const files = { 'monohull.yaml': 'log_format: json\nworkerz: 3\napp: { workers: "many\\n" }\n' }
    const wrong = startMonohull(t, { args: hello, env: { MONOHULL_WORKERS: undefined }, files })
    assert.equal(await wrong.exited, 78)
    const keys = recordsOf(wrong).map(({ level, key, from, fix }) => [level, key, typeof from, typeof fix])
    assert.deepEqual(keys.sort(), [
      ['error', 'app.workers', 'string', 'string'],
      ['error', 'workerz', 'string', 'string'],
    ])
    const snippet = { 'nginx/http.d/a.conf': 'nonsense;\n' }
    const refused = startMonohull(t, {
      args: hello,
      env: { ...json, MONOHULL_NGINX_SNIPPETS: 'nginx' },
      files: snippet,
    })
    assert.notEqual(await refused.exited, 0)
    assert.ok(recordsOf(refused).some(({ level, message }) => level === 'emerg' && /"nonsense"/.test(message)))
  })

  it('never block nginx: a frozen supervisor reads no bytes', async t => {
    const monohull = startMonohull(t, { args: hello, env: { ...json, MONOHULL_HTTPS: 'off' } })
    const { httpPort } = await monohull.serving()
    monohull.signal('SIGSTOP')
    const agent = `${'\xff'.repeat(6000)}\r\nConnection: close\r\n\r\n`
    for (let count = 0; count < 60; count++)
      assert.match(
        await sendRaw(httpPort, `GET /${count} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}`),
        /^HTTP\/1.1 200/,
      )
    monohull.signal('SIGCONT')
    assert.equal((await stopped(monohull)).filter(({ stream }) => stream === 'access').length, 60)
  })
})
