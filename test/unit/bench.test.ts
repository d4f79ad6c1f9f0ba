import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { startClient } from '../../bench/client/client.ts'
import { bodyBytes } from '../../bench/client/connection.ts'
import { countFailures, emptyTally, percentile } from '../../bench/client/tally.ts'
import type { Outcome } from '../../bench/faults/fault.ts'
import { findMisses } from '../../bench/faults/verdict.ts'
import { readH2load } from '../../bench/h2load.ts'
import { readConnections } from '../../bench/handshakes.ts'
import { judgeTarget } from '../../bench/target.ts'

const seconds = 30

describe('the load client', () => {
  it('counts GETs and POSTs separately, and reads whole bodies', async t => {
    const client = startClient({ port: await serve(t, answerAll), connections: { GET: 2, POST: 2 }, seconds })
    await client.untilCompleted(40)
    const tally = await client.stop()
    assert.deepEqual(tally.failures, { GET: {}, POST: {} })
    assert.ok(tally.requests.GET > 0 && tally.requests.POST > 0)
    assert.equal(tally.latencies.before.length, tally.requests.GET + tally.requests.POST)
  })

  it('repeats a GET once if its used connection closed before the response', async t => {
    const port = await serve(t, closeEverySecond)
    const client = startClient({ port, connections: { GET: 1 }, seconds })
    await client.untilCompleted(9)
    const tally = await client.stop()
    assert.equal(countFailures(tally, 'GET'), 0)
    assert.ok(tally.retried >= 4, `retried: ${tally.retried}`)
  })

  it('never repeats a POST', async t => {
    const client = startClient({ port: await serve(t, closeEverySecond), connections: { POST: 1 }, seconds })
    await client.untilCompleted(10)
    const tally = await client.stop()
    assert.equal(tally.retried, 0)
    assert.equal(tally.failures.POST.reset, Math.floor(tally.requests.POST / 2))
  })

  it('fails a GET if its new connection closed before the response', async t => {
    const client = startClient({ port: await serve(t, socket => socket.end()), connections: { GET: 1 }, seconds })
    await client.untilCompleted(3)
    const tally = await client.stop()
    assert.deepEqual(tally.failures.GET, { reset: tally.requests.GET })
    assert.equal(tally.retried, 0)
  })

  it('distinguishes a status, a wrong body and an incomplete response', async t => {
    const answers: Record<string, string> = {
      '502': 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n',
      'wrong answer': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno\n',
      'cut off': 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel',
    }
    for (const [kind, text] of Object.entries(answers)) {
      const port = await serve(t, socket => socket.once('data', () => socket.end(text)))
      const client = startClient({ port, connections: { GET: 1 }, seconds })
      await client.untilCompleted(1)
      const tally = await client.stop()
      assert.ok((tally.failures.GET[kind] ?? 0) > 0, `${kind}: ${JSON.stringify(tally.failures.GET)}`)
    }
  })
})

describe('the handshake load', () => {
  it('counts the connections and resumed sessions that openssl s_time printed', () => {
    const text = [
      'Collecting connection statistics for 1 seconds',
      '**rrr',
      '',
      '5 connections in 0.01s; 500.00 connections/user sec, bytes read 0',
      '5 connections in 2 real seconds, 0 bytes read per connection',
    ].join('\n')
    assert.deepEqual(readConnections(text), { connections: 5, resumed: 3 })
    assert.throws(() => readConnections('connect:errno=111'), /cannot read/)
  })
})

describe('the expectation of a fault', () => {
  const outcome = (change: Partial<Outcome>): Outcome => ({
    tally: emptyTally(),
    lostAtMost: 0,
    turnedAway: 0,
    notes: [],
    problems: [],
    ...change,
  })
  const failed = (method: 'GET' | 'POST', count: number) => {
    const tally = emptyTally()
    tally.failures[method]['502'] = count
    return tally
  }

  it('is met if nothing failed, and missed by one GET or one POST', () => {
    assert.deepEqual(findMisses(outcome({})), [])
    assert.equal(findMisses(outcome({ tally: failed('GET', 1), lostAtMost: 9 })).length, 1)
    assert.equal(findMisses(outcome({ tally: failed('POST', 1) })).length, 1)
  })

  it('allows failed POSTs in flight in a killed worker, and not one more', () => {
    assert.deepEqual(findMisses(outcome({ tally: failed('POST', 4), lostAtMost: 4 })), [])
    assert.equal(findMisses(outcome({ tally: failed('POST', 5), lostAtMost: 4 })).length, 1)
  })

  it('is missed by any other problem', () => {
    assert.deepEqual(findMisses(outcome({ problems: ['zombies were left'] })), ['zombies were left'])
  })
})

describe('a target', () => {
  const target = { atMost: 1.3, unit: '', digits: 2 }

  it('is judged by the median', () => {
    assert.equal(judgeTarget([1, 1.3, 9], target), '≤ 1.30: met')
    assert.equal(judgeTarget([1, 1.31, 1.4], target), '≤ 1.30: **missed**')
  })

  it('is missed if nothing was measured', () => {
    assert.match(judgeTarget([], target), /missed/)
  })
})

describe('the output of h2load', () => {
  const printed = `Application protocol: h2
finished in 5.00s, 17640.40 req/s, 72.83MB/s
requests: 88202 total, 88842 started, 88202 done, 88199 succeeded, 3 failed, 2 errored, 0 timeout
status codes: 88200 2xx, 0 3xx, 1 4xx, 1 5xx
`

  it('is read, with the number of failures', () => {
    assert.deepEqual(readH2load(printed), { requests: 88202, perSecond: 17640.4, failures: 3 })
  })

  it('is rejected if it was not HTTP/2, or nothing was measured', () => {
    assert.throws(() => readH2load(printed.replace('protocol: h2', 'protocol: http/1.1')), /cannot read/)
    assert.throws(() => readH2load('protocol: h2'), /cannot read/)
  })
})

describe('a percentile', () => {
  it('is one of the values', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    assert.equal(percentile(values, 0.5), 50)
    assert.equal(percentile(values, 0.99), 99)
    assert.equal(percentile([7], 0.99), 7)
  })
})

/** A server of raw sockets on a port of its own. */
function serve(t: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

/** Calls back for each whole request. */
function onRequest(socket: Socket, answer: (method: string) => void): void {
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', part => {
    text += part
    const end = text.indexOf('\r\n\r\n')
    const method = text.slice(0, text.indexOf(' '))
    if (end === -1 || text.length < end + 4 + (method === 'POST' ? bodyBytes : 0)) return
    text = ''
    answer(method)
  })
}

function answerWell(socket: Socket, method: string): void {
  const body = method === 'POST' ? `${bodyBytes}\n` : 'hello\n'
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

function answerAll(socket: Socket): void {
  onRequest(socket, method => answerWell(socket, method))
}

/** Every connection answers once; the next request on it is left without an answer. */
function closeEverySecond(socket: Socket): void {
  let count = 0
  onRequest(socket, method => {
    count++
    if (count === 1) answerWell(socket, method)
    else socket.end()
  })
}
