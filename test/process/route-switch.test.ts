import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { getText } from '../../supervisor/base/adapters/unix-http.ts'
import { countConnections } from '../../supervisor/dynamic-routes/adapters/open-connections.ts'
import { keepAsking, readStore, setRoute, shop, startDynamic, tell, who } from './dynamic-monohull.ts'
import { defer, type Monohull, until } from './monohull.ts'
import { startRouteServer } from './route-servers.ts'

const signal = () => AbortSignal.timeout(20_000)

const openSocket = async (t: TestContext, monohull: Monohull) => {
  const socket = new WebSocket(`ws://127.0.0.1:${monohull.instance().httpPort}/`, { headers: { host: shop } })
  defer(t, () => socket.terminate())
  await once(socket, 'open', { signal: signal() })
  return socket
}

/** A request whose body is not complete; it is when the function is called, which gives the response. */
async function startUpload(t: TestContext, monohull: Monohull) {
  const socket = net.connect(monohull.instance().httpPort ?? 0, '127.0.0.1').setEncoding('latin1')
  defer(t, () => socket.destroy())
  socket.write(`POST /upload HTTP/1.1\r\nHost: ${shop}\r\nConnection: close\r\nContent-Length: 3\r\n\r\n1`)
  let seen = ''
  socket.on('data', chunk => {
    seen += chunk
  })
  return async () => {
    socket.write('23')
    await once(socket, 'close', { signal: signal() })
    return seen
  }
}

describe('monohull routes set with options', () => {
  it('switches to a server that is ready, and waits for the requests of the former one', async t => {
    const monohull = await startDynamic(t, { more: 'nginx: { worker_processes: 2 }\n' })
    const old = await startRouteServer(t, 'old')
    const next = await startRouteServer(t, 'next')
    await setRoute(monohull, old.target)
    const asking = keepAsking(t, monohull)
    const set = (...options: string[]) => tell(t, monohull, 'routes', 'set', shop, ...options)
    await until('requests to the old server', () => asking.answers.has('old'))

    // one that is not ready, or not there, gets none
    await t.test('if it is not, nothing changes', async () => {
      const before = readStore(monohull)
      const unready = await set(next.target, '--check', '/502', '--timeout', '300ms', '--drain', '5s')
      assert.equal(unready.code, 1)
      assert.match(unready.output, /leads where it did before/)
      assert.match(unready.output, /is not ready after 300ms: status 502/)
      const { code, output } = await set('127.0.0.1:9', '--check', '/', '--timeout', '300ms')
      assert.equal(code, 1)
      assert.match(output, /127\.0\.0\.1:9 is not ready after 300ms: .*ECONNREFUSED/)
      assert.equal(readStore(monohull), before)
      assert.deepEqual([...asking.answers.keys()], ['old'])
    })

    await t.test('waits for WebSockets and uploads', async t => {
      const socket = await openSocket(t, monohull)
      const upload = await startUpload(t, monohull)
      const switched = set(next.target, '--check', '/readyz', '--drain', '30s')
      await until('requests to the next server', () => asking.answers.has('next'))
      assert.equal(await who(monohull), 'next')
      socket.send('still here')
      assert.equal(String((await once(socket, 'message', { signal: signal() }))[0]), 'old still here')
      socket.close()
      // what waits for its body has no connection yet, and will go to the old server all the same
      await until('no connection to the old server', () => countConnections([old.target]) === 0)
      const text = await getText(join(monohull.folder, 'run/admin.sock'), '/requests')
      assert.deepEqual(
        JSON.parse(text ?? '').addresses.find(({ address }: { address: string }) => address === old.target),
        {
          address: old.target,
          count: 1,
        },
      )
      assert.match(await upload(), /^HTTP\/1.1 200 .*"name":"old"/s)
      const { code, output } = await switched
      assert.equal(code, 0, output)
      assert.match(output, /still has \d+ requests?/)
      assert.match(output, new RegExp(`${old.target} is without requests`))
      const count = old.requests.length
      await old.stop()
      await until('more requests', () => next.requests.length > 20)
      assert.equal(old.requests.length, count)
    })

    await t.test(
      'with --cookie, visitors stay where they were sent first, until all requests go elsewhere',
      async () => {
        await old.start()
        assert.equal((await set(old.target, '--weight', '25%', '--cookie', '--check', '/')).code, 0)
        const visit = async (cookie?: string) => {
          const { headers, body } = await monohull.request({ headers: { host: shop, ...(cookie ? { cookie } : {}) } })
          const given = headers['set-cookie']?.find(text => text.startsWith('monohull_target='))?.split(';')[0]
          return { name: JSON.parse(body).name as string, cookie: given ?? cookie }
        }
        const sent = new Map<string, string | undefined>()
        await until('a visitor of each server', async () => {
          const { name, cookie } = await visit()
          for (let again = 0; again < 4; again++) assert.deepEqual(await visit(cookie), { name, cookie })
          sent.set(name, cookie)
          return sent.size === 2
        })
        assert.equal((await set(next.target, '--drain', '30s')).code, 0)
        assert.equal((await visit(sent.get('old'))).name, 'next')
        await old.stop()
      },
    )

    await t.test('sends a part first, and wants to be used as it works', async () => {
      await old.start()
      const part = await set(old.target, '--weight', '25%', '--cookie', '--check', '/')
      assert.equal(part.code, 0, part.output)
      assert.deepEqual(Object.values(JSON.parse(readStore(monohull))), [
        { targets: [`${next.target} weight=75`, `${old.target} weight=25`], sticky: true },
      ])
      for (const [options, problem] of [
        [['--timeout', '5s'], /--timeout has no effect without --check/],
        [['--cookie'], /--cookie has no effect without --weight/],
        [['--weight', '0'], /is not a part of the requests/],
        [['--check', 'readyz'], /is not a path/],
        [['--check', '/readyz#x'], /has a fragment/],
        [['--drain', 'long'], /is not a duration/],
      ] as const) {
        const { code, output } = await set(next.target, ...options)
        assert.equal(code, 64, output)
        assert.match(output, problem)
      }
      assert.equal((await tell(t, monohull, 'routes', 'list', '--drain', '5s')).code, 64)
    })
    assert.deepEqual(await asking.end(), ['next', 'old'])
  })
})
