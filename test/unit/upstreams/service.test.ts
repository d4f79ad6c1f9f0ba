import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../supervisor/base/clock.ts'
import { recordCheck, serversInUse, unchecked } from '../../../supervisor/upstreams/health.ts'
import { type UpstreamConfig, upstream } from '../../../supervisor/upstreams/keys.ts'
import { createUpstreams } from '../../../supervisor/upstreams/service.ts'
import { formatUpstreams } from '../../../supervisor/upstreams/status.ts'

describe('upstreams/health', () => {
  it('goes down after `fails` failures in a row, and up after `passes` successes', () => {
    const policy = { fails: 3, passes: 2 }
    const states = [false, false, true, false, false, false, true, false, true, true].map(
      (
        (state = unchecked) =>
        isWell => {
          state = recordCheck(state, { failure: isWell ? undefined : 'status 500', at: 0 }, policy)
          return state.isUp
        }
      )(),
    )
    assert.deepEqual(states, [true, true, true, true, true, false, false, false, false, true])
  })

  it('uses all servers when none is up', () => {
    assert.deepEqual(
      serversInUse([1, 2, 3], server => server > 1),
      [2, 3],
    )
    assert.deepEqual(
      serversInUse([1, 2, 3], () => false),
      [1, 2, 3],
    )
  })
})

/** Clock that a test moves. */
function createClock() {
  let nowMs = 0
  let timers: { at: number; act: () => void }[] = []
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after(delayMs, act) {
      const timer = { at: nowMs + delayMs, act }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
  }
  /** Lets pending promises settle. */
  const settle = () => new Promise<void>(resolve => setImmediate(resolve))
  async function pass(ms: number) {
    const until = nowMs + ms
    for (;;) {
      await settle()
      const [next] = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (!next) break
      nowMs = next.at
      timers = timers.filter(timer => timer !== next)
      next.act()
    }
    nowMs = until
  }
  return { clock, pass, pending: () => timers.length }
}

function setUp(configs: Record<string, UpstreamConfig>) {
  const { clock, pass, pending } = createClock()
  const names = new Map<string, string[]>()
  const failing = new Set<string>()
  const logged: string[] = []
  let changes = 0
  const note = (message: string, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const deps = {
    clock,
    log: { debug: note, info: note, warn: note, error: note },
    resolver: {
      async addressesOf(name: string) {
        return names.get(name) ?? Promise.reject(new Error(`ENOTFOUND ${name}`))
      },
      ttlOf: async () => 5000,
    },
    probe: {
      failureOf: async ({ address }: { address: string }) => (failing.has(address) ? 'status 500' : undefined),
    },
    onChange() {
      changes++
    },
  }
  const addressesOf = (upstreams: ReturnType<typeof createUpstreams>) =>
    upstreams.serversOf('legacy').map(({ address }) => address)
  return { deps, names, failing, logged, pass, pending, addressesOf, configs, changes: () => changes }
}

const configOf = (value: unknown) => ({ legacy: upstream.parse(value) })

describe('upstreams/status', () => {
  it('is a table with the reason of a failure', () => {
    const up = { upstream: 'legacy', server: '10.0.0.2:80', address: '10.0.0.2:80', state: 'up' } as const
    const down = { upstream: 'legacy', server: 'b.test:80', address: '10.0.0.3:80', state: 'down' } as const
    assert.equal(
      formatUpstreams([
        { ...up, isInRotation: true, sinceSeconds: 7, reason: undefined },
        { ...down, isInRotation: false, sinceSeconds: 12, reason: 'status 500' },
        {
          ...down,
          address: undefined,
          state: 'not found',
          isInRotation: false,
          sinceSeconds: undefined,
          reason: undefined,
        },
      ]),
      `UPSTREAM  SERVER                   STATE                     FOR
legacy    10.0.0.2:80              up                        7 s
legacy    b.test:80 (10.0.0.3:80)  down (not in nginx)       12 s  status 500
legacy    b.test:80                not found (not in nginx)  -
`,
    )
  })
})

describe('upstreams/service', () => {
  it('uses addresses as they are, and re-resolves names when their TTL expires', async () => {
    const { deps, names, pass, addressesOf, configs, changes, logged } = setUp(
      configOf({ servers: ['10.0.0.2:5000 weight=2', '[::1]:5000', 'legacy.test:80 backup'] }),
    )
    names.set('legacy.test', ['10.0.0.8', '10.0.0.7'])
    const upstreams = createUpstreams(deps, configs)
    await upstreams.start()
    assert.deepEqual(upstreams.serversOf('legacy'), [
      { address: '10.0.0.2:5000', weight: 2, isBackup: false },
      { address: '[::1]:5000', weight: 1, isBackup: false },
      { address: '10.0.0.7:80', weight: 1, isBackup: true },
      { address: '10.0.0.8:80', weight: 1, isBackup: true },
    ])
    await pass(10_000)
    assert.equal(changes(), 0)
    names.set('legacy.test', ['10.0.0.9'])
    await pass(10_000)
    assert.equal(changes(), 1)
    assert.deepEqual(addressesOf(upstreams).slice(2), ['10.0.0.9:80'])
    assert.match(logged.join('\n'), /addresses changed .*"10\.0\.0\.9".*"10\.0\.0\.7,10\.0\.0\.8"/)
    upstreams.stop()
  })

  it('starts without a name that does not resolve, adds it when it does, and keeps its addresses when it fails later', async () => {
    const { deps, names, pass, addressesOf, configs, changes, logged } = setUp(
      configOf({ servers: ['legacy.test:80'] }),
    )
    const upstreams = createUpstreams(deps, configs)
    await upstreams.start()
    assert.deepEqual(addressesOf(upstreams), [])
    assert.match(logged[0] ?? '', /^cannot resolve server name .*ENOTFOUND.*no requests until it resolves/)
    names.set('legacy.test', ['10.0.0.7'])
    await pass(6000)
    assert.deepEqual([changes(), addressesOf(upstreams)], [1, ['10.0.0.7:80']])
    names.delete('legacy.test')
    await pass(60_000)
    assert.deepEqual([changes(), addressesOf(upstreams)], [1, ['10.0.0.7:80']])
    assert.equal(logged.filter(line => /its last addresses stay in use/.test(line)).length, 1)
    upstreams.stop()
  })

  it('removes a server after failed checks, reports changes together, and never removes all', async () => {
    const { deps, failing, pass, addressesOf, configs, changes, logged } = setUp(
      configOf({
        servers: ['10.0.0.2:5000', '10.0.0.3:5000', '10.0.0.4:5000'],
        health: { path: '/health', interval: '1s', fails: 2, passes: 2 },
      }),
    )
    const upstreams = createUpstreams(deps, configs)
    await upstreams.start()
    failing.add('10.0.0.2').add('10.0.0.3')
    await pass(3000)
    assert.deepEqual([changes(), addressesOf(upstreams)], [1, ['10.0.0.4:5000']])
    failing.add('10.0.0.4')
    await pass(3000)
    assert.deepEqual([changes(), addressesOf(upstreams).length], [2, 3])
    assert.match(logged.at(-1) ?? '', /all servers of an upstream fail their health checks/)
    failing.clear()
    await pass(3000)
    assert.deepEqual([changes(), addressesOf(upstreams).length], [3, 3])
    upstreams.stop()
  })

  it('re-resolves a name after ten seconds if its TTL is longer or unknown', async () => {
    for (const ttl of [600_000, undefined]) {
      const { deps, names, pass, addressesOf, configs } = setUp(configOf({ servers: ['legacy.test:80'] }))
      names.set('legacy.test', ['10.0.0.7'])
      const resolver = { ...deps.resolver, ttlOf: async () => ttl }
      const upstreams = createUpstreams({ ...deps, resolver }, configs)
      await upstreams.start()
      names.set('legacy.test', ['10.0.0.8'])
      await pass(9000)
      assert.deepEqual(addressesOf(upstreams), ['10.0.0.7:80'])
      await pass(2000)
      assert.deepEqual(addressesOf(upstreams), ['10.0.0.8:80'])
      upstreams.stop()
    }
  })

  it('re-resolves the name of a server that fails its check, whatever its TTL', async () => {
    const { deps, names, failing, pass, addressesOf, configs, changes } = setUp(
      configOf({ servers: ['legacy.test:80'], health: { path: '/health', interval: '1s', fails: 3 } }),
    )
    names.set('legacy.test', ['10.0.0.7'])
    const upstreams = createUpstreams({ ...deps, resolver: { ...deps.resolver, ttlOf: async () => 600_000 } }, configs)
    await upstreams.start()
    await pass(2500)
    names.set('legacy.test', ['10.0.0.8'])
    failing.add('10.0.0.7')
    await pass(2000)
    assert.deepEqual([changes(), addressesOf(upstreams)], [1, ['10.0.0.8:80']])
    upstreams.stop()
  })

  it('reports the state of each server and its duration, even across a reload', async () => {
    const { deps, names, failing, pass, configs } = setUp(
      configOf({
        servers: ['10.0.0.2:5000', 'legacy.test:80', 'gone.test:80'],
        health: { path: '/health', interval: '1s', fails: 2, passes: 2 },
      }),
    )
    names.set('legacy.test', ['10.0.0.7'])
    const upstreams = createUpstreams(deps, configs)
    const states = (of = upstreams) =>
      of
        .status()
        .map(({ address, server, state, isInRotation, sinceSeconds, reason }) =>
          [address ?? server, state, isInRotation, sinceSeconds, reason].join(' '),
        )
    assert.deepEqual(states(), [
      '10.0.0.2:5000 unchecked true  ',
      ...['legacy.test:80', 'gone.test:80'].map(name => `${name} not found false  `),
    ])
    await upstreams.start()
    await pass(10_000)
    assert.deepEqual(states(), [
      '10.0.0.2:5000 up true 10 ',
      '10.0.0.7:80 up true 10 ',
      'gone.test:80 not found false 10 ',
    ])
    failing.add('10.0.0.7')
    await pass(5000)
    const expected = '10.0.0.7:80 down false 3 status 500'
    assert.equal(states()[1], expected)
    const next = createUpstreams(deps, configs, upstreams.snapshot())
    upstreams.stop()
    assert.equal(states(next)[1], expected)
    failing.clear()
    await next.start()
    await pass(4000)
    assert.equal(states(next)[1], '10.0.0.7:80 up true 3 ')
    next.stop()
    const unwatched = createUpstreams(deps, configOf({ servers: ['10.0.0.2:5000'] }), upstreams.snapshot())
    assert.deepEqual(states(unwatched), ['10.0.0.2:5000 unchecked true  '])
  })

  it('passes its state to the next instance, and stops', async () => {
    const { deps, failing, pass, pending, addressesOf, configs } = setUp(
      configOf({ servers: ['10.0.0.2:5000', '10.0.0.3:5000'], health: { path: '/', interval: '1s', fails: 1 } }),
    )
    failing.add('10.0.0.2')
    const former = createUpstreams(deps, configs)
    await former.start()
    await pass(2000)
    const next = createUpstreams(deps, configs, former.snapshot())
    former.stop()
    assert.deepEqual(addressesOf(next), ['10.0.0.3:5000'])
    next.stop()
    const unwatched = createUpstreams(
      deps,
      configOf({ servers: ['10.0.0.2:5000', '10.0.0.3:5000'] }),
      former.snapshot(),
    )
    assert.equal(addressesOf(unwatched).length, 2)
    assert.equal(pending(), 0)
  })
})
