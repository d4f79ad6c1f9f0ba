import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { serveAdmin, serveHealth } from '../../../supervisor/run/adapters/admin-server.ts'
import { factsOf } from './health-facts.ts'
import { runRecord } from './run-record.ts'

const folder = mkdtempSync(join(tmpdir(), 'monohull-admin-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const facts = factsOf({ isNginxAlive: true, isDraining: false, apps: [{ name: 'app', ready: 1, total: 1 }] })
const health = { livePath: '/healthz', readyPath: '/readyz', facts: () => facts }

function ask(socketPath: string, path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path, agent: false, timeout: 5000 }, response => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')))
    request.on('error', reject)
  })
}

describe('run/adapters/admin-server', () => {
  it('serves health, and nothing else, to its own user and a group', async t => {
    const path = join(folder, 'health.sock')
    writeFileSync(path, 'left by a dead one')
    const server = await serveHealth(path, process.getgid?.(), health)
    t.after(() => server.close())
    assert.equal(statSync(path).mode & 0o777, 0o660)
    assert.deepEqual(await ask(path, '/healthz'), { status: 200, body: '{"status":"ok"}\n' })
    assert.equal((await ask(path, '/status')).status, 404)
  })

  it('serves the admin API to its own user only', async t => {
    const path = join(folder, 'admin.sock')
    const status = {
      pid: 1,
      state: 'ready' as const,
      uptimeSeconds: 2,
      http: [],
      https: [],
      workers: [],
      scaled: [],
      upstreams: [],
      processes: [],
    }
    const command = () => assert.fail('no command was given')
    const server = await serveAdmin(path, {
      health,
      refresh: async () => {},
      status: () => status,
      page: { home: '', feed: () => Promise.reject(new Error('no feed')) },
      metrics: async () => [],
      record: runRecord().record,
      requests: async () => undefined,
      describeConfig: async () => [],
      command,
      renewCertificate: command,
      inspection: {
        open: async () => ({ ok: true, message: 'opened' }),
        close: async () => ({ ok: true, message: 'closed' }),
        lend: async () => assert.fail(),
      },
      pause: { begin: () => assert.fail(), end: () => assert.fail() },
      maintenance: { turnOn: () => assert.fail(), turnOff: () => assert.fail() },
      cluster: undefined,
      dynamicRoutes: undefined,
      jobs: () => undefined,
    })
    t.after(() => server.close())
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(await ask(path, '/status'), { status: 200, body: JSON.stringify(status) })
    assert.equal((await ask(path, '/readyz')).status, 200)
    await server.close()
    await assert.rejects(ask(path, '/status'), { code: 'ENOENT' })
  })

  it('reports a socket that it cannot listen on', async () => {
    await assert.rejects(serveHealth(join(folder, 'none/health.sock'), undefined, health), /ENOENT|EACCES/)
  })
})
