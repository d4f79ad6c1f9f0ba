import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import type { ChallengeFiles } from '../../../supervisor/certificates/acme/adapters/challenge-files.ts'
import { createPreflight } from '../../../supervisor/certificates/acme/adapters/probes.ts'
import type { Preflight } from '../../../supervisor/certificates/acme/authority.ts'
import type { ChallengeType } from '../../../supervisor/certificates/acme/plan.ts'
import { findObstacle } from '../../../supervisor/certificates/acme/preflight.ts'
import { temporaryFolder } from '../../process/monohull.ts'

/** Somebody who listens, perhaps in our place: the host and port that lead there. */
async function listen(t: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const challenges = join(folder, 'challenges')
  const { signal } = new AbortController()
  const files: ChallengeFiles = {
    publish: async (token, text) => writeFileSync(join(challenges, token), text),
    remove: token => rmSync(join(challenges, token)),
    close: () => {},
  }
  mkdirSync(challenges)
  return { folder, challenges, files, preflight: createPreflight(join(folder, 'state'), files, signal) }
}

describe('certificates/acme: preflight probes', () => {
  it('finds its own challenge where it is served, and removes it', async t => {
    const { challenges, preflight } = setUp(t)
    const place = await listen(t, ({ url = '' }, response) => {
      const token = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(url)?.[1]
      response.end(token && readFileSync(join(challenges, token)))
    })
    assert.equal((await preflight.challenge(place)).kind, 'right')
    assert.deepEqual(readdirSync(challenges), [])
  })

  it('is certain about another response, but not about a redirect or no response', async t => {
    const { preflight } = setUp(t)
    const other = await listen(t, (_, response) => void response.writeHead(404).end('not here'))
    assert.deepEqual(await preflight.challenge(other), { kind: 'wrong', detail: 'status 404' })
    const page = await listen(t, (_, response) => void response.end('a page for everything'))
    assert.equal((await preflight.challenge(page)).kind, 'wrong')
    const moved = await listen(t, (_, response) => void response.writeHead(301, { location: 'https://x/' }).end())
    assert.deepEqual(await preflight.challenge(moved), { kind: 'unknown', detail: 'redirects to https://x/' })
    const cut = await listen(t, request => void request.socket.destroy())
    assert.equal((await preflight.challenge(cut)).kind, 'unknown')
  })

  it('recognizes a state directory that is not writable, and names without an address', async t => {
    const { folder, files, preflight } = setUp(t)
    assert.equal(preflight.storage(), undefined)
    writeFileSync(join(folder, 'file'), '')
    assert.match(
      createPreflight(join(folder, 'file/state'), files, new AbortController().signal).storage() ?? '',
      /is not writable/,
    )
    assert.equal(await preflight.dns('localhost'), undefined)
  })
})

describe('certificates/acme: preflight', () => {
  const good: Preflight = {
    storage: () => undefined,
    dns: async () => undefined,
    challenge: async () => ({ kind: 'right', detail: '' }),
  }
  const plan = { name: 'a.test', domains: ['a.test', 'b.test'] }

  async function find(change: Partial<Preflight>, challenge: ChallengeType = 'http-01') {
    const warnings: string[] = []
    const log = { warn: (message: string) => void warnings.push(message) } as unknown as Log
    return { obstacle: await findObstacle(plan, { challenge }, { preflight: { ...good, ...change }, log }), warnings }
  }

  it('finds no obstacle if there is none', async () =>
    assert.deepEqual(await find({}), { obstacle: undefined, warnings: [] }))

  it('has a message for storage, DNS and the challenge, each with a fix', async () => {
    const storage = await find({ storage: () => 'state_dir /x is not writable' })
    assert.equal(storage.obstacle, 'state_dir /x is not writable: the certificate would be lost on the next restart')
    const dns = await find({ dns: async domain => (domain === 'b.test' ? 'ENOTFOUND' : undefined) })
    assert.match(dns.obstacle ?? '', /^DNS: b\.test has no address \(ENOTFOUND\); add an A or AAAA record/)
    const wrong = await find({ challenge: async () => ({ kind: 'wrong', detail: 'status 404' }) })
    assert.match(
      wrong.obstacle ?? '',
      /^self-test: another server responds at http:\/\/a\.test\/\S+ \(status 404\); .* monohull cert renew a\.test --force$/,
    )
  })

  it('warns about an uncertain obstacle', async () => {
    const { obstacle, warnings } = await find({ challenge: async () => ({ kind: 'unknown', detail: 'refused' }) })
    assert.deepEqual([obstacle, warnings.length], [undefined, 2])
  })

  it('checks only storage for dns-01, whose names need not resolve', async () => {
    const nowhere: Partial<Preflight> = {
      dns: async () => 'ENOTFOUND',
      challenge: async () => ({ kind: 'wrong', detail: '' }),
    }
    assert.equal((await find(nowhere, 'dns-01')).obstacle, undefined)
    assert.match((await find({ storage: () => 'no' }, 'dns-01')).obstacle ?? '', /^no: /)
  })
})
