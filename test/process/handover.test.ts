import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { defer, fixture, startMonohull } from './monohull.ts'

const thinkMs = 20
const deadlineMs = 10_000

/** Counts of the connections of a client. */
interface Ended {
  /** Those that nginx announced to close, in a response or with GOAWAY while it processed a request. */
  announced: number
  /** Those that ended without that: a request could have been on its way. */
  unannounced: number
  requests: number
}

/** Uses a kept connection all the time until the test ends, with a short pause after each response. Opens another one when it ends. */
function keepUsing(t: TestContext, use: (ended: Ended, isOver: () => boolean) => Promise<void>): Ended {
  const ended: Ended = { announced: 0, unannounced: 0, requests: 0 }
  let isTestOver = false
  const used = (async () => {
    while (!isTestOver) await use(ended, () => isTestOver)
  })()
  defer(t, () => {
    isTestOver = true
    return used
  })
  return ended
}

/** Life of an HTTP/1.1 connection. */
async function useHttp1(port: number | undefined, ended: Ended, isOver: () => boolean): Promise<void> {
  const socket = net.connect({ host: '127.0.0.1', port: port ?? 0 }).setEncoding('latin1')
  let received = ''
  let isAnnounced = false
  let answered = () => {}
  const closed = new Promise<void>(resolve =>
    socket
      .once('end', resolve)
      .once('close', resolve)
      .on('error', () => {}),
  )
  socket.setTimeout(deadlineMs, () => socket.destroy())
  socket.on('data', (text: string) => {
    received += text
    const [head = '', body] = received.split('\r\n\r\n')
    if (body === undefined || body.length < Number(/^content-length: (\d+)/im.exec(head)?.[1])) return
    isAnnounced = /^connection: close/im.test(head)
    received = ''
    ended.requests++
    answered()
  })
  let isClosed = false
  void closed.then(() => {
    isClosed = true
  })
  while (!isOver() && !isClosed && !isAnnounced) {
    const response = new Promise<void>(resolve => {
      answered = resolve
    })
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await Promise.race([response, closed])
    if (!isAnnounced) await pause(thinkMs)
  }
  if (isAnnounced) ended.announced++
  else if (isClosed) ended.unannounced++
  socket.destroy()
}

/** Life of an HTTP/2 connection. */
async function useHttp2(port: number | undefined, ended: Ended, isOver: () => boolean): Promise<void> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  let isProcessing = false
  let isGoing = true
  session.once('goaway', () => {
    isGoing = false
    if (isProcessing) ended.announced++
    else ended.unannounced++
  })
  session.once('close', () => {
    if (isGoing && !isOver()) ended.unannounced++
    isGoing = false
  })
  while (!isOver() && isGoing) {
    isProcessing = true
    const stream = session.request({ ':path': '/' }).resume()
    stream.setTimeout(deadlineMs, () => stream.close())
    stream.on('error', () => {})
    await new Promise(resolve => stream.once('close', resolve))
    ended.requests++
    isProcessing = false
    await pause(thinkMs)
  }
  isGoing = false
  session.destroy()
}

describe('the handover of kept connections', () => {
  it('announces to every client in use that its connection ends, when a header changes and workers get other ports', async t => {
    const configOf = (release: number) =>
      `access_log: false\napp: { listen: port, min_uptime: 0s }\nheaders: { X-Release: "${release}" }\n`
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      files: { 'monohull.yaml': configOf(0) },
      env: { MONOHULL_HTTPS: 'on' },
    })
    const { httpPort, httpsPort } = await monohull.serving()
    const clients = [httpPort, httpPort, httpPort].map(port =>
      keepUsing(t, (ended, isOver) => useHttp1(port, ended, isOver)),
    )
    clients.push(keepUsing(t, (ended, isOver) => useHttp2(httpsPort, ended, isOver)))
    for (const release of [1, 2]) {
      const from = monohull.output().length
      writeFileSync(join(monohull.folder, 'monohull.yaml'), configOf(release))
      monohull.signal('SIGHUP')
      await monohull.seen(/reload finished/, from)
      const { headers } = await monohull.request()
      assert.equal(headers['x-release'], String(release))
    }
    for (const { announced, unannounced, requests } of clients) {
      assert.equal(unannounced, 0)
      assert.ok(announced >= 2, `${announced} connections announced to end, of ${requests} requests`)
    }
  })
})
