// needs: python3
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { setRoute, shop } from './dynamic-monohull.ts'
import { defer, startMonohull } from './monohull.ts'

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

const final = 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok'
/** What nginx cannot read, by path. */
const misread: Record<string, string> = {
  '/early': `HTTP/1.1 103 Early Hints\\r\\nLink: </a.css>\\r\\n\\r\\n${final}`,
  '/processing': `HTTP/1.1 102 Processing\\r\\n\\r\\n`,
  '/continue': `HTTP/1.1 100 Continue\\r\\n\\r\\n${final}`,
  '/switch': 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: other\\r\\nConnection: Upgrade\\r\\n\\r\\nraw',
  '/headless': '-ERR unknown command\\r\\n',
}

/** A program that responds with these bytes, and keeps the connection open. */
const rawProgram = `import socket, threading
responses = {${Object.entries(misread).map(([path, text]) => `b'${path}': b'${text}'`)}}
server = socket.socket(fileno=3)
server.listen(50)
def serve(connection):
    head = connection.recv(65536)
    connection.sendall(responses.get(head.split()[1], b'${final}'))
    connection.recv(1)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`

/** The port of a server that does the same. */
async function startRawServer(t: TestContext): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', head => {
      const text = misread[head.toString().split(' ')[1]?.replace('/up', '') ?? ''] ?? final
      socket.write(text.replaceAll('\\r', '\r').replaceAll('\\n', '\n'))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => server.close())
  return (server.address() as AddressInfo).port
}

/** Status over HTTP/2. */
async function statusOverHttp2(port: number | undefined, path: string): Promise<unknown> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  try {
    const [headers] = await once(session.request({ ':path': path }).resume(), 'response')
    return headers[':status']
  } finally {
    session.destroy()
  }
}

describe('responses that nginx would misread', () => {
  it('are 502 at once, whoever sends them and whatever the client speaks, and the log says what to do', async t => {
    const port = await startRawServer(t)
    const monohull = startMonohull(t, {
      files: {
        'raw.py': rawProgram,
        'monohull.yaml': `dynamic_routes: { store: file }
server_names: [www.example.com]
app: { command: [python3, raw.py] }
upstreams: { up: { servers: ["127.0.0.1:${port}"] } }
routes:
  - { app: app }
  - { path: /up, upstream: up, strip_prefix: true }
  - { path: /cached, app: app, strip_prefix: true, cache: { ttl: 60s } }
`,
      },
    })
    const { httpsPort } = await monohull.serving()
    await setRoute(monohull, `127.0.0.1:${port}`)
    for (const path of [...Object.keys(misread), '/fine']) {
      const expected = path === '/fine' ? [200, 'ok'] : [502, '<!doctype html>']
      const from = monohull.output().length
      for (const [prefix, host] of [
        ['', 'www.example.com'],
        ['/up', 'www.example.com'],
        ['/cached', 'www.example.com'],
        ['', shop],
      ]) {
        const { status, body } = await monohull.request({ path: `${prefix}${path}`, headers: { host } })
        assert.deepEqual([status, body.split('\n')[0]], expected, `${host}${prefix}${path}`)
      }
      const head = await monohull.request({ path, method: 'HEAD', headers: { host: 'www.example.com' } })
      assert.equal(head.status, expected[0])
      assert.equal(await statusOverHttp2(httpsPort, path), expected[0])
      if (path !== '/fine')
        await monohull.seen(/\[error\] .*the client gets 502.*"GET \/.*upstream: .*, worker: "app\.\d"/, from)
    }
  })
})

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
