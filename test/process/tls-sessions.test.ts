import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import tls from 'node:tls'
import { fixture, startMonohull } from './monohull.ts'

/** One request on a connection of its own; the session that it leaves, and whether it went on with an earlier one. */
function visit(
  port: number | undefined,
  version: tls.SecureVersion,
  session?: Buffer,
): Promise<{ session: Buffer | undefined; isReused: boolean }> {
  return new Promise((resolve, reject) => {
    const versions = { minVersion: version, maxVersion: version }
    const socket = tls.connect({
      host: '127.0.0.1',
      port: port ?? 0,
      rejectUnauthorized: false,
      servername: 'localhost',
      ...versions,
      ...(session ? { session } : {}),
    })
    let left: Buffer | undefined
    let isReused = false
    socket.on('session', given => {
      left = given
    })
    socket.once('secureConnect', () => {
      isReused = socket.isSessionReused()
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    })
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer in time')))
    socket.resume()
    socket.once('error', reject)
    socket.once('close', () => resolve({ session: left, isReused }))
  })
}

describe('TLS sessions', () => {
  it('are taken up again by any of the nginx processes, and after a reload, in both protocols', async t => {
    const files = { 'monohull.yaml': 'nginx: {worker_processes: 3}' }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], files })
    const { httpsPort } = await monohull.serving()
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await visit(httpsPort, version)
      assert.equal(first.isReused, false)
      let { session } = first
      const revisit = async (when: string) => {
        const again = await visit(httpsPort, version, session)
        assert.equal(again.isReused, true, `${version}, ${when}`)
        session = again.session ?? session
      }
      for (let round = 0; round < 6; round++) await revisit(`round ${round}`)
      const told = monohull.output().length
      writeFileSync(join(monohull.folder, 'monohull.yaml'), `nginx: {worker_processes: 3}\nmax_body_size: ${told}k`)
      monohull.signal('SIGHUP')
      await monohull.seen(/reload finished/, told)
      await revisit('after a reload')
    }
  })
})
