// needs: python3
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, startMonohull } from './monohull.ts'

/** A server elsewhere that tells its name, and leaves /silent without an answer. */
async function startServer(t: TestContext, name: string) {
  const server = { port: 0, silent: 0 }
  const listener = http.createServer((request, response) => {
    if (request.url === '/silent') server.silent += 1
    else response.end(name)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  server.port = (listener.address() as AddressInfo).port
  defer(t, () => {
    listener.close()
    listener.closeAllConnections()
  })
  return server
}

/** The port of a server that lets nobody connect, and does not say so: its queue is full. */
async function startDeafServer(t: TestContext): Promise<number> {
  const program = `import socket, time
server = socket.create_server(("127.0.0.1", 0), backlog=0)
waiting = [socket.socket() for _ in range(8)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(server.getsockname())
print(server.getsockname()[1], flush=True)
time.sleep(100)`
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  defer(t, async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [line] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) })
  return Number(line)
}

describe('a request that takes longer than read_timeout', () => {
  it('is asked of no other server, each of which would do the same work', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off
upstreams: { legacy: { servers: ["127.0.0.1:${a.port}", "127.0.0.1:${b.port}"] } }
routes: [{ upstream: legacy, read_timeout: 500ms }]
`,
      },
    })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/silent' })).status, 504)
    assert.equal(a.silent + b.silent, 1)
    // and the other serves on
    for (let count = 0; count < 4; count++)
      assert.equal((await monohull.request({ path: '/x' })).body, a.silent > 0 ? 'b' : 'a')
  })

  it('is asked of no other worker', async t => {
    const monohull = startMonohull(t, {
      files: {
        'app.cjs': `let count = 0
require('node:http').createServer((request, response) => {
  if (request.url === '/silent') console.log('asked', ++count)
  else response.end()
}).listen(3000)`,
        'monohull.yaml': 'https: off\nroutes: [{ app: app, read_timeout: 500ms }]\napp: { command: node app.cjs }\n',
      },
    })
    await monohull.serving()
    await monohull.seen(/worker ready worker=app\.2/)
    assert.equal((await monohull.request({ path: '/silent' })).status, 504)
    assert.equal((await monohull.request()).status, 200)
    assert.equal(monohull.output().match(/asked \d/g)?.length, 1, monohull.output())
  })
})

describe('a server that nobody can connect to', () => {
  it('is passed over, however short read_timeout is', async t => {
    const [deaf, well] = [await startDeafServer(t), await startServer(t, 'well')]
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off
upstreams: { legacy: { balance: round_robin, servers: ["127.0.0.1:${deaf}", "127.0.0.1:${well.port}"] } }
routes: [{ upstream: legacy, read_timeout: 2s }]
`,
      },
    })
    await monohull.serving()
    for (let count = 0; count < 4; count++) assert.equal((await monohull.request({ method: 'POST' })).body, 'well')
    await monohull.seen(new RegExp(`upstream timed out .* while connecting .*127.0.0.1:${deaf}/`))
  })
})
