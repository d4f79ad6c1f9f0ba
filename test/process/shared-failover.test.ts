// needs: redis-server
// before a release: half a minute of a core; test/process/redis-kinds.test.ts has a failover of routes
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { until } from './monohull.ts'
import { certify, promoted, startSentinel } from './redis-groups.ts'
import type { RedisServer } from './redis-server.ts'
import { acquired, join, open } from './shared-states.ts'

const [password, sentinelPassword] = ['of-the-servers', 'of-the-sentinels']
const guide = readFileSync(new URL('../../docs/guide/scaling.md', import.meta.url), 'utf8')
const rules = /^ACL SETUSER monohull (.*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2').split(' ') ?? []
const keys = { username: 'monohull', password: 'hunter2', sentinel_password: sentinelPassword }
/** Longer than a failover. */
const patient = { ...keys, lease: 15_000 }

/** Sentinels with TLS and a password of their own, before servers with another password and a user for monohull. */
async function startSecured(t: TestContext) {
  const certificate = certify(t, 'redis.test', '127.0.0.1')
  tls.setDefaultCACertificates([readFileSync(certificate.chain, 'utf8')])
  const group = await startSentinel(t, { tls: certificate, password, sentinelPassword })
  for (const server of [group.master, group.replica])
    assert.equal(await server.cli('acl', 'setuser', 'monohull', ...rules), 'OK')
  return group
}

/** Has a replica get nothing more from its master, which goes on. */
async function cutReplication(master: RedisServer, replica: RedisServer): Promise<void> {
  await master.cli('acl', 'setuser', 'default', '-psync', '-sync', '-replconf')
  await master.cli('client', 'kill', 'type', 'replica')
  await until('the cut', async () => (await replica.cli('info', 'replication')).includes('master_link_status:down'))
}

describe('the shared state behind Sentinels, with TLS, logins of servers and Sentinels', () => {
  it('keeps locks over a failover; of those that the new master lacks, the holder learns, and nothing of them counts', async t => {
    const { store, master, replica } = await startSecured(t)
    const [one, two] = await Promise.all([join(t, store, { keys: patient }), join(t, store, { keys: patient })])
    const kept = await acquired(one, 'kept')
    assert.equal((await one.write('r', 'kept', { lock: kept })).kind, 'written')
    await until('the copy', async () => (await replica.cli('hget', 'monohull:{state}:record:r', 'value')) === 'kept')
    await cutReplication(master, replica)
    const lost = await acquired(one, 'lost')
    const write = await one.write('r', 'lost', { lock: lost })
    const version = write.kind === 'written' ? write.version : 0
    assert.ok(version > 0)

    await master.kill()
    await promoted(replica)
    const next = await acquired(two, 'lost')
    // as a number of the old master that the new one has not
    assert.ok(next.token > version, `${next.token} after ${version}`)
    assert.equal((await two.read('r'))?.value, 'kept')
    const second = await two.write('r', 'second', { lock: next })
    assert.ok(second.kind === 'written' && second.version > version)
    await until('the connection', () => one.problem() === undefined)
    assert.deepEqual(await one.write('r', 'late', { lock: lost }), { kind: 'lost' })
    assert.deepEqual(await one.write('r', 'late', { version }), { kind: 'conflict' })
    await until('the loss', () => lost.signal.aborted, { deadlineMs: patient.lease })
    assert.equal((await two.read('r'))?.value, 'second')
    // the other was copied before
    assert.equal(kept.signal.aborted, false)
    assert.equal(await two.acquire('kept'), undefined)
    assert.equal((await one.write('r', 'third', { lock: kept })).kind, 'lost', 'a later holder has written')
    assert.equal((await one.write('s', 'first', { lock: kept })).kind, 'written')
  })

  it('follows a failover while the old master runs, and nobody else gets a lock meanwhile', async t => {
    const { store, master, replica, ask } = await startSecured(t)
    const lines: string[] = []
    const [one, two] = await Promise.all([join(t, store, { keys: patient, lines }), join(t, store, { keys: patient })])
    const lock = await acquired(one, 'x')
    await until('the copy', async () => (await replica.cli('exists', 'monohull:{state}:lock:x')) === '1')
    assert.match(await ask('failover', 'main'), /OK/)
    await promoted(replica)
    await until('a write at the new master', async () => {
      assert.equal(await two.acquire('x').catch(() => undefined), undefined)
      await one.write('r', 'text', { lock }).catch(() => {})
      return (await replica.cli('hget', 'monohull:{state}:record:r', 'value')) === 'text'
    })
    assert.equal(lock.signal.aborted, false)
    await until('the demotion', async () => (await master.cli('info', 'replication')).includes('role:slave'))
    assert.match(lines.join('\n'), /cannot reach the shared state .*(another master|READONLY|still name a replica)/)
  })

  it('loses a lock at a master that is cut off with its holder, if that needs replicas for writes', async t => {
    const { store, master, replica } = await startSecured(t)
    for (const [name, value] of [
      ['min-replicas-to-write', '1'],
      ['min-replicas-max-lag', '1'],
    ] as const)
      await master.cli('config', 'set', name, value)
    const short = { ...keys, lease: 3000 }
    const one = await join(t, store, { keys: short })
    const lock = await acquired(one, 'x')
    await cutReplication(master, replica)
    await assert.doesNotReject(one.read('r'))
    await until('the loss', () => lock.signal.aborted)
    await assert.rejects(one.write('r', 'text', { lock }), /NOREPLICAS/)
  })

  it('is unavailable once no Sentinel responds: another may have been made the master', async t => {
    const { store, cli } = await startSecured(t)
    const one = await join(t, store, { keys })
    const lock = await acquired(one, 'x')
    await cli('shutdown', 'nosave').catch(() => {})
    const problem = await until('the outage', () => one.problem())
    assert.match(problem, /no Sentinel (responds|names)/)
    await until('the loss', () => lock.signal.aborted)
  })

  it('names the login that is rejected', async t => {
    const { store } = await startSecured(t)
    const wrong: [object, RegExp][] = [
      [{ sentinel_password: undefined }, /NOAUTH.*"fix":"set shared_state\.sentinel_password/],
      [{ sentinel_password: 'x' }, /WRONGPASS.*"fix":"set shared_state\.sentinel_password/],
      [{ password: 'x' }, /WRONGPASS.*"fix":"correct shared_state\.username and password/],
    ]
    for (const [change, expected] of wrong) {
      const lines: string[] = []
      const state = open(t, store, { keys: { ...keys, ...change }, lines })
      await until('the reason', () => expected.test(lines.join('\n')), { details: () => lines.join('\n') })
      await state.close()
    }
  })
})
