import assert from 'node:assert/strict'
import https from 'node:https'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { fixture, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

const swaps = Number(process.env.SWAPS ?? 5)
const pair = { chain: 'tls.crt', key: 'tls.key' }

interface Tally {
  answered: number
  failed: string[]
}

/** Requests one after the other. A kept connection that is closed before the answer is asked anew (RFC 9112, 9.3.1). */
async function load(port: number | undefined, agent: https.Agent, tally: Tally, isOver: () => boolean): Promise<void> {
  const ask = (isRetry: boolean): Promise<void> =>
    new Promise(resolve => {
      const request = https.get({ host: '127.0.0.1', port, agent, rejectUnauthorized: false }, response => {
        response.resume()
        response.once('end', () => {
          if (response.statusCode === 200) tally.answered++
          else tally.failed.push(String(response.statusCode))
          resolve()
        })
      })
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && !isRetry) return resolve(ask(true))
        tally.failed.push(error.message)
        resolve()
      })
    })
  while (!isOver()) await ask(false)
}

describe('a certificate that is replaced repeatedly under load', () => {
  it(`is served each time, and no request fails, over kept and new connections (${swaps} times)`, async t => {
    const folder = temporaryFolder(t)
    const certs = join(folder, 'certs')
    makeCertificate(certs, 'v0.test', pair)
    const monohull = startMonohull(t, { folder, args: ['run', 'node', fixture('hello.cjs')] })
    const { httpsPort } = await monohull.serving()
    const seenAfterMs: number[] = []
    let isOver = false
    const kept = { answered: 0, failed: [] }
    const fresh = { answered: 0, failed: [] }
    const keeping = new https.Agent({ keepAlive: true })
    const loads = [
      ...Array.from({ length: 4 }, () => load(httpsPort, keeping, kept, () => isOver)),
      load(httpsPort, new https.Agent({ keepAlive: false, maxCachedSessions: 0 }), fresh, () => isOver),
    ]
    for (let version = 1; version <= swaps; version++) {
      makeCertificate(certs, `v${version}.test`, pair)
      const changedAt = performance.now()
      await until(`version ${version}`, async () => (await presented(httpsPort)).subject === `CN=v${version}.test`, {
        details: monohull.output,
      })
      seenAfterMs.push(Math.round(performance.now() - changedAt))
    }
    isOver = true
    await Promise.all(loads)
    keeping.destroy()
    assert.deepEqual([kept.failed, fresh.failed], [[], []])
    assert.ok(kept.answered > swaps && fresh.answered > swaps, JSON.stringify({ kept, fresh }))
    await until(
      'every change in the log',
      () => monohull.output().match(/info certificates changed/g)?.length === swaps,
    )
    t.diagnostic(`slowest ${Math.max(...seenAfterMs)} ms; ${kept.answered} + ${fresh.answered} requests`)
  })
})
