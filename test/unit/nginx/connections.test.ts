import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { openConnectionWatch, readStubStatus } from '../../../supervisor/nginx/connection-watch.ts'
import {
  nginxConnections,
  renderOpenFiles,
  workerConnections,
  workerRequests,
} from '../../../supervisor/nginx/connections.ts'
import { createHandClock } from '../hand-clock.ts'

const gib = 2 ** 30
const ample = { openFiles: 1_048_576, memoryBytes: 16 * gib, processes: 2 }
const own = (text: string) => ({ path: '/app/nginx.conf', text })

describe('nginx/connections', () => {
  it('are as many as files and memory allow', () => {
    assert.equal(workerConnections(ample), 8192)
    assert.equal(workerConnections({ ...ample, openFiles: 1024 }), 640)
    assert.equal(workerConnections({ ...ample, memoryBytes: gib / 4 }), 1638)
    assert.equal(workerConnections({ ...ample, openFiles: 32 }), 64)
    assert.equal(workerConnections({ ...ample, openFiles: Number.POSITIVE_INFINITY }), 8192)
  })

  it("are those of the key, or of the user's nginx.conf", () => {
    const of = (key: number | 'auto', text?: string) =>
      nginxConnections(ample, { key, ownConf: text === undefined ? undefined : own(text) }).perWorker
    assert.equal(of(20_000), 20_000)
    assert.equal(of('auto', 'events { worker_connections 1024; }'), 1024)
    assert.equal(of(2000, '# worker_connections 1;\nevents { include rendered/events.conf; }'), 2000)
    assert.equal(of('auto', 'events {}'), 512)
  })

  it('leave some for health and new clients', () => {
    for (const connections of [64, 512, 1024, 8192]) {
      const rest = connections - 2 * workerRequests(connections)
      assert.ok(rest >= 32 && rest >= connections / 8, `${rest} of ${connections}`)
    }
  })

  it("leave the limit of files to the user's nginx.conf if it sets one", () => {
    const files = { perWorker: 64, openFiles: 4096 }
    assert.match(renderOpenFiles(files, undefined).join(), /worker_rlimit_nofile 4096;/)
    assert.deepEqual(renderOpenFiles(files, own('worker_rlimit_nofile 100;')), [])
    assert.deepEqual(renderOpenFiles({ ...files, openFiles: Number.POSITIVE_INFINITY }, undefined), [])
  })
})

const report = (open: number, dropped = 0) =>
  `Active connections: ${open} \nserver accepts handled requests\n ${900 + dropped} 900 77 \nReading: 0 Writing: 1 Waiting: 0 \n`

describe('nginx/connection-watch', () => {
  it("reads nginx's report", () => {
    const { active, accepted = 0, handled = 0 } = readStubStatus(report(12, 3)) ?? {}
    assert.deepEqual([active, accepted - handled], [12, 3])
    assert.equal(readStubStatus('<html>'), undefined)
  })

  it('logs one line a minute while connections are short, and shows them', async () => {
    const { clock, advance, waiting } = createHandClock()
    const lines: string[] = []
    let text: string | undefined
    const watch = openConnectionWatch({
      clock,
      log: createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) }),
      bounds: () => ({ limit: 256, requests: 100 }),
      openFiles: () => undefined,
      read: async () => text,
    })
    assert.deepEqual([watch.status(), watch.metrics()], [{}, []])
    await advance(5000)
    text = report(89)
    await advance(5000)
    assert.deepEqual([lines.length, watch.status()], [0, { connections: { open: 89, limit: 256, dropped: 0 } }])
    text = report(90)
    await advance(50_000)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /short of connections.*open=90 limit=256 dropped=0 fix=.*worker_connections/)
    await advance(15_000)
    assert.equal(lines.length, 2)
    text = report(1, 7)
    await advance(65_000)
    assert.equal(lines.length, 2, 'what was dropped within the minute is not repeated')
    text = report(1, 9)
    await advance(30_000)
    assert.match(lines[2] ?? '', /dropped=2/)
    assert.deepEqual(
      watch.metrics().map(({ prefix = '', name, samples }) => [prefix + name, samples[0]?.value]),
      [
        ['nginx_up', 1],
        ['nginx_connections_accepted', 909],
        ['nginx_connections_active', 1],
        ['nginx_connections_handled', 900],
        ['nginx_connections_reading', 0],
        ['nginx_connections_waiting', 0],
        ['nginx_connections_writing', 1],
        ['nginx_http_requests_total', 77],
        ['nginx_connections', 1],
        ['nginx_connections_limit', 256],
        ['nginx_connections_dropped_total', 9],
      ],
    )
    watch.quiesce()
    assert.equal(waiting(), 0)
  })

  it('does not ask nginx while it has few open files, but for a status, and once in five minutes', async () => {
    const { clock, advance } = createHandClock()
    let asked = 0
    let openFiles = 15
    const watch = openConnectionWatch({
      clock,
      log: createLog({ format: 'text', level: 'info', now: () => 0, write: () => {} }),
      bounds: () => ({ limit: 256, requests: 100 }),
      openFiles: () => openFiles,
      async read() {
        asked++
        return report(openFiles)
      },
    })
    await advance(5000)
    assert.equal(asked, 1)
    await advance(290_000)
    assert.equal(asked, 1)
    await advance(20_000)
    assert.equal(asked, 2)
    await watch.refresh()
    assert.equal(asked, 3)
    openFiles = 30
    await advance(25_000)
    assert.equal(asked, 8, 'on the next tick, then every 5 s')
    assert.equal(watch.status().connections?.open, 30)
    watch.close()
  })
})
