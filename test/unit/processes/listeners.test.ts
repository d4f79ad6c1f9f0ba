import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import {
  bindFrontSocket,
  createSlotSockets,
  type FrontSocket,
} from '../../../supervisor/processes/adapters/listeners.ts'
import type { BoundSocket } from '../../../supervisor/processes/sockets.ts'

const folder = mkdtempSync(join(tmpdir(), 'monohull-listeners-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const slots = createSlotSockets({ uid: undefined, gid: undefined })
const pathOf = (t: TestContext) => join(folder, `${t.name.replaceAll(/\W+/g, '-').slice(0, 40)}.sock`)

/** What comes of connecting: `connected`, or the errno. */
function connect(where: net.NetConnectOpts): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = net.connect(where, () => {
      socket.destroy()
      resolve('connected')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

/** A client in the queue: connected, and its answer when somebody accepts it. */
async function queue(t: TestContext, where: net.NetConnectOpts): Promise<{ answer: Promise<string> }> {
  const socket = net.connect(where)
  t.after(() => socket.destroy())
  const signal = AbortSignal.timeout(10_000)
  await once(socket, 'connect', { signal })
  return { answer: once(socket, 'data', { signal }).then(([data]) => String(data)) }
}

/** A worker that inherits the descriptor and listens on it; the returned function kills it. */
async function listenOn(t: TestContext, descriptor: number): Promise<() => Promise<void>> {
  const program =
    "require('node:net').createServer(client => client.end('hello')).listen({ fd: 3 }, () => console.log('listening'))"
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit', descriptor] })
  t.after(() => child.kill('SIGKILL'))
  if (child.stdout) await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) })
  return async () => {
    child.kill('SIGKILL')
    await once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
  }
}

function front(t: TestContext, address: string, port = 0): FrontSocket {
  const socket = bindFrontSocket(address, port) ?? assert.fail(`no ${address} here`)
  t.after(() => socket.close())
  return socket
}

function bound(t: TestContext, path: string): BoundSocket {
  const socket = slots.bind(path)
  t.after(() => socket.close())
  return socket
}

function refusalOf(act: () => unknown): OperatorError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error))
    return error
  }
  return assert.fail('nothing was refused')
}

const hasIpv6 = bindFrontSocket('::1', 0)
hasIpv6?.close()
/** On CI a machine without IPv6 is a failure, and no reason to skip. */
const withoutIpv6 = !hasIpv6 && !process.env.CI && 'no IPv6 here'

describe('processes/adapters/listeners: front sockets', () => {
  it('relies on net._createServerHandle, whose handle listens and never accepts', async t => {
    assert.equal(typeof Reflect.get(net, '_createServerHandle'), 'function')
    const { port, descriptor, inode } = front(t, '127.0.0.1')
    assert.ok(port > 0 && descriptor > 2 && inode > 0)
    const clients = [await queue(t, { host: '127.0.0.1', port }), await queue(t, { host: '127.0.0.1', port })]
    await listenOn(t, descriptor)
    assert.deepEqual(await Promise.all(clients.map(client => client.answer)), ['hello', 'hello'])
  })

  it('cannot be bound twice, even if nothing accepts', t => {
    const { port } = front(t, '127.0.0.1')
    assert.match(refusalOf(() => bindFrontSocket('127.0.0.1', port)).message, /the port is taken/)
  })

  it('binds the requested port', t => {
    const free = bindFrontSocket('127.0.0.1', 0) ?? assert.fail()
    free.close()
    assert.equal(front(t, '127.0.0.1', free.port).port, free.port)
  })

  it('binds one port for IPv4 and IPv6 side by side', { skip: withoutIpv6 }, t => {
    const { port } = front(t, '0.0.0.0')
    assert.equal(front(t, '::', port).port, port)
  })

  it('binds :: for IPv6 only', { skip: withoutIpv6 }, async t => {
    const { port, descriptor } = front(t, '::')
    await listenOn(t, descriptor)
    assert.equal(await connect({ host: '::1', port }), 'connected')
    assert.equal(await connect({ host: '127.0.0.1', port }), 'ECONNREFUSED')
  })

  it('releases the port on close', t => {
    const first = bindFrontSocket('127.0.0.1', 0) ?? assert.fail()
    first.close()
    front(t, '127.0.0.1', first.port)
  })

  it('reports an address that this machine does not have', () => {
    assert.equal(bindFrontSocket('192.0.2.1', 0), undefined)
  })

  it('names the process that has the port', async t => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as net.AddressInfo
    const { message, fix } = refusalOf(() => bindFrontSocket('127.0.0.1', port))
    const owner = `(pid ${process.pid})`
    assert.ok(message.startsWith(`cannot listen on 127.0.0.1:${port}: the port is taken by `), message)
    assert.ok(message.endsWith(owner) && fix.includes(owner), `${message}; ${fix}`)
    const everywhere = refusalOf(() => bindFrontSocket('0.0.0.0', port))
    assert.ok(everywhere.message.endsWith(owner), everywhere.message)
  })

  it('writes IPv6 addresses in brackets', { skip: withoutIpv6 }, async t => {
    const server = net.createServer().listen(0, '::1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as net.AddressInfo
    const { message } = refusalOf(() => bindFrontSocket('::1', port))
    assert.match(message, /^cannot listen on \[::1\]:\d+: the port is taken by .*\(pid \d+\)$/)
  })
})

describe('processes/adapters/listeners: slot sockets', () => {
  it('binds a path for its owner and group, and queues clients for a later worker', async t => {
    const path = pathOf(t)
    const socket = bound(t, path)
    assert.ok(statSync(path).isSocket())
    assert.equal(statSync(path).mode & 0o777, 0o660)
    const clients = [await queue(t, { path }), await queue(t, { path })]
    await listenOn(t, socket.descriptor)
    assert.deepEqual(await Promise.all(clients.map(client => client.answer)), ['hello', 'hello'])
  })

  it('keeps the queue while there is no worker', async t => {
    const path = pathOf(t)
    const socket = bound(t, path)
    const kill = await listenOn(t, socket.descriptor)
    await kill()
    assert.equal(await connect({ path }), 'connected')
    await listenOn(t, socket.descriptor)
    assert.equal(await connect({ path }), 'connected')
  })

  it('reports a client that waits, once, and accepts nothing: the next worker responds', {
    timeout: 20_000,
  }, async t => {
    const path = pathOf(t)
    const socket = bound(t, path)
    let calls = 0
    const watch = () => new Promise<void>(resolve => slots.watch(socket, () => resolve(void calls++)))
    const first = watch()
    const client = await queue(t, { path })
    await first
    // a watch that begins later finds it, too
    await watch()
    await listenOn(t, socket.descriptor)
    assert.equal(await client.answer, 'hello')
    assert.equal(calls, 2)
  })

  it('reports nothing after the end of a watch, nor what other workers accept', { timeout: 20_000 }, async t => {
    const path = pathOf(t)
    const socket = bound(t, path)
    const end = slots.watch(socket, () => assert.fail('it was ended'))
    const client = await queue(t, { path })
    end()
    end()
    const kill = await listenOn(t, socket.descriptor)
    assert.equal(await client.answer, 'hello')
    await kill()
    const other = slots.bind(`${path}.other`)
    const waits = new Promise<void>(resolve => slots.watch(other, resolve))
    await queue(t, { path: `${path}.other` })
    await waits
    other.close()
  })

  it('watches the next socket with the same descriptor, and leaves no descriptor open', {
    timeout: 20_000,
  }, async t => {
    const path = pathOf(t)
    const open = () => readdirSync('/proc/self/fd').length
    let before: number | undefined
    for (let turn = 0; turn < 5; turn++) {
      const socket = slots.bind(path)
      const end = await new Promise<() => void>(resolve => {
        const cancel = slots.watch(socket, () => resolve(cancel))
        net.connect(path).on('error', () => {})
      })
      end()
      socket.close()
      await new Promise(resolve => setImmediate(resolve))
      before ??= open()
    }
    assert.ok(open() <= (before ?? 0) + 1, `${open()} descriptors, ${before} before`)
  })

  it('removes the path with the socket', t => {
    const path = pathOf(t)
    slots.bind(path).close()
    assert.equal(existsSync(path), false)
  })

  it('replaces a leftover', t => {
    const path = pathOf(t)
    writeFileSync(path, '')
    const socket = bound(t, path)
    assert.ok(statSync(path).isSocket())
    assert.ok(socket.inode > 0)
  })

  it('says which paths are valid', () => {
    assert.match(
      refusalOf(() => slots.bind(join(folder, 'none/app-1.sock'))).message,
      /^cannot bind the worker socket .*: E/,
    )
    assert.match(refusalOf(() => slots.bind(join(folder, 'x'.repeat(120)))).fix, /at most 80 characters/)
  })

  it('leaves no socket behind if it cannot change its owner', t => {
    const path = pathOf(t)
    const noGroup = createSlotSockets({ uid: undefined, gid: 2 ** 32 })
    assert.throws(() => noGroup.bind(path), RangeError)
    assert.equal(existsSync(path), false)
  })

  it('reports a directory that accepts no files, even from root', () => {
    assert.match(refusalOf(() => slots.bind('/proc/app-1.sock')).message, /: E[A-Z]+$/)
  })

  it('replaces a link atomically', async t => {
    const link = pathOf(t)
    for (const name of ['one', 'two']) {
      slots.point(link, join(folder, name))
      assert.equal(readlinkSync(link), join(folder, name))
    }
    assert.equal(existsSync(`${link}.next`), false)
    await listenOn(t, bound(t, join(folder, 'two')).descriptor)
    assert.equal(await connect({ path: link }), 'connected')
  })

  it('finds a free port', async () => {
    const port = slots.freePort()
    assert.ok(port >= 1024)
    assert.equal(await connect({ host: '127.0.0.1', port }), 'ECONNREFUSED')
  })
})
