import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import express from 'express'
import request from 'supertest'
import { createSecret } from '../../../supervisor/base/secret.ts'
import { addRecordRoutes } from '../../../supervisor/run/adapters/admin-record.ts'
import { type EventKind, kindOf } from '../../../supervisor/run/event-kind.ts'
import { readSources } from '../read-imports.ts'
import { runRecord } from './run-record.ts'

const died = { worker: 'app.1', pid: 41, exit: 'exit code 1', uptime_ms: 900, decision: 'restart' }

describe('run/record', () => {
  it('keeps what the log writes as lines, and events of any level but debug', () => {
    const { record, log } = runRecord({ level: 'warn' })
    log.info('worker ready', { worker: 'app.1', pid: 41 })
    log.warn('certificate warning', { names: 'a.test', problem: 'old' })
    log.debug('nginx did not receive a sign of life')
    assert.deepEqual(
      record.logs.read().map(({ source, level, text }) => [source, level, text]),
      [['monohull', 'warn', 'certificate warning names=a.test problem=old']],
    )
    assert.deepEqual(
      record.events.read().map(({ kind, level, subject, message }) => [kind, level, subject, message]),
      [
        ['worker', 'info', 'app.1', 'worker ready'],
        ['certificate', 'warn', 'a.test', 'certificate warning'],
      ],
    )
  })

  it('masks secrets and cuts long texts in events', () => {
    const { record, log } = runRecord()
    log.info('x', { token: createSecret('s3cret'), long: 'x'.repeat(5000), last_lines: ['y'] })
    const [event] = record.events.read()
    assert.equal(JSON.stringify(record.logs.read()).includes('s3cret'), false)
    assert.deepEqual(event?.fields, { token: '••••••', long: `${'x'.repeat(1000)}…` })
  })

  it('keeps the last 500 events and selects them', () => {
    const { record, log, clock } = runRecord()
    for (let number = 1; number <= 600; number++) {
      clock.now += 1000
      log.info(number % 2 === 0 ? 'reload finished' : 'worker ready', { number })
    }
    const { read } = record.events
    assert.deepEqual([read().length, read()[0]?.id, read().at(-1)?.id], [500, 101, 600])
    assert.equal(read({ kinds: ['reload'] }).length, 250)
    assert.equal(read({ since: clock.now - 9000 }).length, 10)
    assert.equal(read({ after: 598 }).length, 2)
    assert.equal(read({ level: 'warn' }).length, 0)
    assert.equal(read({}, 3).length, 3)
    assert.equal(read({}, 0).length, 0)
  })

  it('keeps a death with its last 50 lines of both streams, its requests and its reason', () => {
    const { record, log } = runRecord()
    const line = (pid: number, origin: 'stdout' | 'stderr', text: string) =>
      record.logs.append({ source: 'app.1', origin, pid }, text)
    line(40, 'stdout', 'of the one before')
    for (let number = 1; number <= 60; number++) line(41, number % 2 ? 'stdout' : 'stderr', `line ${number}`)
    log.error('worker died', { ...died, reason: 'hung', in_flight: ['GET /a 1'], last_lines: ['line 60'] })
    log.warn('a worker had more requests in flight when it died', { worker: 'app.1', in_flight: ['GET /b 2'] })
    const [death] = record.deaths.read()
    assert.deepEqual(death?.lines.length, 50)
    assert.deepEqual([death?.lines[0], death?.lines.at(-1)], ['line 11', 'line 60'])
    assert.deepEqual(death?.requests, ['GET /a 1', 'GET /b 2'])
    assert.deepEqual([death?.id, death?.exit, death?.reason, death?.uptimeMs], [1, 'exit code 1', 'hung', 900])
    assert.deepEqual(
      record.events.read().map(({ kind, fields }) => [kind, fields.death]),
      [
        ['death', 1],
        ['death', 1],
      ],
    )
  })

  it('takes the lines of the log if the ring has none, and none of another process', () => {
    const { record, log } = runRecord({ log_format: 'raw' })
    record.logs.append({ source: 'queue.1', origin: 'stdout', pid: 7 }, 'an old one')
    log.error('process died', { process: 'queue.1', exit: 'exit code 70', reason: 'refused', last_lines: [] })
    log.error('worker died', { ...died, last_lines: ['see the log'] })
    log.error('nginx died, restarting it on the same sockets', { pid: 9, exit: 'SIGKILL' })
    assert.deepEqual(
      record.deaths.read().map(({ id, name, lines }) => [id, name, lines]),
      [
        [1, 'queue.1', []],
        [2, 'app.1', ['see the log']],
        [3, 'nginx', []],
      ],
    )
    assert.deepEqual(
      record.deaths.read('app').map(({ id }) => id),
      [2],
    )
    assert.match(record.missing.join(), /access lines.*raw/)
  })

  it('keeps the last 100 deaths', () => {
    const { record, log } = runRecord()
    for (let number = 0; number < 130; number++) log.error('worker died', died)
    assert.deepEqual(
      [record.deaths.read().length, record.deaths.get(30), record.deaths.get(31)?.id],
      [100, undefined, 31],
    )
  })
})

describe('run/event-kind', () => {
  const sources = [...readSources(join(import.meta.dirname, '../../../supervisor')).values()].join('\n')
  const known: [string, EventKind][] = [
    ['worker died', 'death'],
    ['process died', 'death'],
    ['nginx died, restarting it on the same sockets', 'death'],
    ['a worker had more requests in flight when it died', 'death'],
    ['worker ready', 'worker'],
    ['worker stopped', 'worker'],
    ['reload finished', 'reload'],
    ['reload abandoned, nothing has changed', 'reload'],
    ['workers replaced', 'roll'],
    ['rolling restart abandoned, the old workers keep serving', 'roll'],
    ['recycling worker', 'roll'],
    ['scaling abandoned, the old workers keep serving', 'scale'],
    ['certificate issued', 'certificate'],
    ['cannot renew certificates', 'certificate'],
    ['certificate not renewed, the old one stays in use', 'certificate'],
    ['command received', 'command'],
    ['serving', 'run'],
    ['stopping', 'run'],
    ['process finished', 'process'],
    ['hook failed', 'hook'],
    ['nginx is back', 'nginx'],
    ['server fails its health checks', 'upstream'],
    ['cannot read dynamic routes from Redis', 'routes'],
    ['dynamic routes are readable again', 'routes'],
    ['job missed', 'job'],
    ['ping of a job failed', 'job'],
    ['cannot rotate log files', 'logs'],
    ['cannot resolve server name', 'upstream'],
    ['no route leads to an app', 'run'],
    ['no route leads to an upstream', 'upstream'],
    ['profile ended', 'worker'],
    ['cannot update the workers in nginx', 'nginx'],
  ]
  for (const [message, kind] of known) {
    it(`${message}: ${kind}`, () => {
      assert.ok(sources.includes(message), 'no source logs it')
      assert.equal(kindOf(message), kind)
    })
  }
})

describe('run/adapters/admin-record', () => {
  function serve(t: TestContext) {
    const made = runRecord()
    const app = express()
    addRecordRoutes(app, made.record)
    const server = http.createServer(app).listen(0, '127.0.0.1')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return { ...made, app, server }
  }

  it('responds with lines, events and deaths', async t => {
    const { app, log, record } = serve(t)
    record.logs.append({ source: 'app.1', origin: 'stdout', pid: 41 }, 'a\nb')
    log.error('worker died', died)
    const logs = await request(app).get('/logs?source=app&limit=1').expect(200)
    assert.deepEqual(
      logs.body.lines.map(({ text }: { text: string }) => text),
      ['b'],
    )
    assert.equal(logs.body.missing.length, 1)
    const events = await request(app).get('/events?kind=death,reload').expect(200)
    assert.equal(events.body.events[0].fields.death, 1)
    assert.equal((await request(app).get('/deaths').expect(200)).body.deaths.length, 1)
    assert.deepEqual((await request(app).get('/deaths/1').expect(200)).body.lines, ['a', 'b'])
  })

  for (const [path, status, expected] of [
    ['/logs?level=loud', 400, /level loud does not exist.*choose a level from debug/],
    ['/logs?sources=app', 400, /did you mean source\?/],
    ['/logs?since=yesterday', 400, /since yesterday is not a time.*10m/],
    ['/logs?limit=-1', 400, /limit -1 is not a number/],
    ['/events?kind=deth', 400, /did you mean death\?/],
    ['/deaths/7', 404, /7 is not on record.*no death is on record/],
  ] as const) {
    it(`rejects ${path}, and says how to fix it`, async t => {
      const { app } = serve(t)
      const { body } = await request(app).get(path).expect(status)
      assert.equal(body.ok, false)
      assert.match(`${body.reason}: ${body.fix}`, expected)
    })
  }

  it('follows, first with what is there, until the client goes', async t => {
    const { server, record, log } = serve(t)
    log.info('serving')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const sent = http.get({ port, path: '/events?follow=true', agent: false, timeout: 5000 })
    const [response] = await once(sent, 'response')
    const lines = createInterface({ input: response })[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await lines.next()).value ?? '{}').message
    assert.equal(await next(), 'serving')
    log.info('reload finished')
    assert.equal(await next(), 'reload finished')
    const before = record.events.read().length
    response.destroy()
    assert.equal(before, 2)
  })

  it('leaves lines out for a client that does not read, and says how many', async t => {
    const { server, record } = serve(t)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const sent = http.get({ port, path: '/logs?follow=true', agent: false, timeout: 5000 })
    const [response] = await once(sent, 'response')
    const block = Array.from({ length: 600 }, () => 'x'.repeat(100)).join('\n')
    for (let number = 0; number < 100; number++) record.logs.append({ source: 'app.1', origin: 'stdout' }, block)
    let read = 0
    const left = await new Promise<string>(resolve => {
      createInterface({ input: response }).on('line', line => {
        read++
        const { text } = JSON.parse(line)
        if (/left out/.test(text)) resolve(text)
        else record.logs.append({ source: 'app.1', origin: 'stdout' }, 'more')
      })
    })
    response.destroy()
    const count = Number(/^(\d+) lines left out/.exec(left)?.[1])
    assert.ok(count > 0 && count + read >= 60_000 && read < 60_000, `${count} left out, ${read} read`)
  })
})
