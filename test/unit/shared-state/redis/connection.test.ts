import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../../supervisor/base/clock.ts'
import { createRedisConnection } from '../../../../supervisor/shared-state/redis/connection.ts'
import type { LinkEvents, RedisLink } from '../../../../supervisor/shared-state/redis/link.ts'
import { createManualClock } from '../../dynamic-routes/redis/fake-redis.ts'

const never = new Promise<never>(() => {})

function setUp(
  open: (attempt: number, events: LinkEvents, clock: Clock) => Promise<RedisLink>,
  prepare: () => Promise<unknown> = async () => {},
) {
  const { clock, pass } = createManualClock()
  const lines: string[] = []
  const keep = (text: string, fields: object) => lines.push(`${text} ${JSON.stringify(fields)}`)
  const started = clock.now()
  const attempts: number[] = []
  const ups: string[] = []
  const connection = createRedisConnection({
    clock,
    log: { debug: keep, info: keep, warn: keep, error: keep } as never,
    random: () => 0.5,
    store: 'redis://fake',
    purpose: {
      connected: 'reading dynamic routes from Redis',
      failed: 'cannot read dynamic routes from Redis',
      section: 'dynamic_routes',
      urlKey: 'store',
      guide: 'docs/guide/dynamic-routes.md',
    },
    async open(events) {
      attempts.push(clock.now() - started)
      return open(attempts.length, events, clock)
    },
    onChange() {},
    async onUp() {
      ups.push('up')
      await prepare()
    },
    onDown: () => ups.push('down'),
  })
  return { connection, pass, lines, attempts, ups }
}

const link = (call: RedisLink['call'] = async () => 'PONG'): RedisLink => ({
  channel: 'tracking',
  runId: 'a',
  call,
  check: async () => void (await call(['PING'])),
  close() {},
})

describe('shared-state/redis/connection', () => {
  it('tries again with longer and longer delays, and logs a reason once', async () => {
    const { connection, pass, lines, attempts } = setUp(async attempt => {
      if (attempt < 9)
        throw new Error(attempt < 6 ? 'connect ECONNREFUSED' : 'WRONGPASS invalid username-password pair')
      return link()
    })
    const early = connection.call(['GET', 'a']).catch((error: Error) => error.message)
    await pass(400)
    assert.equal(lines.length, 0)
    await pass(600)
    assert.equal(await early, 'Redis: connect ECONNREFUSED')
    // once it is known to be down, a question does not wait
    await assert.rejects(connection.call(['GET', 'a']), /ECONNREFUSED/)
    await pass(20_000)
    const delays = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
    assert.deepEqual(delays, [88, 175, 350, 700, 1400, 1750, 1750, 1750])
    assert.equal(connection.problem(), undefined)
    assert.deepEqual(
      lines.map(line => line.replace(/ \{.*"fix":/, ' ')),
      [
        'cannot read dynamic routes from Redis "start it, or correct dynamic_routes.store"}',
        'cannot read dynamic routes from Redis "correct dynamic_routes.username and password"}',
        'connected to Redis again {"store":"redis://fake"}',
        'reading dynamic routes from Redis {"store":"redis://fake","changes":"tracking"}',
      ],
    )
    await connection.close()
  })

  it('logs a server that is frozen at startup at the first attempt, and then rejects questions at once', async () => {
    const { connection, pass, lines } = setUp(
      (_attempt, _events, clock) =>
        new Promise((_, reject) => clock.after(3000, () => reject(new Error('no response for 3 s')))),
    )
    await pass(2900)
    await assert.rejects(connection.call(['GET', 'a']), /not yet established/)
    await pass(200)
    assert.match(lines.join(), /cannot read dynamic routes from Redis .*no response for 3 s/)
    await connection.close()
  })

  it('gives a server up that does not respond to a ping, and rejects questions in time', async () => {
    const { connection, pass, ups } = setUp(async attempt => link(attempt === 1 ? () => never : undefined))
    await pass(0)
    const question = connection.call(['GET', 'a']).catch((error: Error) => error.message)
    await pass(1500)
    assert.equal(await question, 'no response for 1.5 s')
    await pass(2400)
    assert.deepEqual(ups, ['up'])
    await pass(1000)
    assert.deepEqual(ups, ['up', 'down', 'up'])
    assert.equal(await connection.call(['GET', 'a']), 'PONG')
    await connection.close()
  })

  it('gives a server up that does not respond while the link is prepared', async () => {
    const { connection, pass, attempts } = setUp(
      async attempt => link(attempt === 1 ? () => never : undefined),
      () => (attempts.length === 1 ? never : Promise.resolve()),
    )
    await pass(3900)
    assert.equal(attempts.length, 1)
    await pass(1000)
    assert.equal(attempts.length, 2)
    assert.equal(connection.problem(), undefined)
    await connection.close()
  })

  it('leaves a server that became a replica, and follows its address', async () => {
    const error = new Error("READONLY You can't write against a read only replica. script: 1f, on @user_script:9.")
    const { connection, pass, attempts, lines } = setUp(async attempt =>
      link(async ([name]) => {
        if (attempt === 1 && name === 'EVAL') throw error
        return 'PONG'
      }),
    )
    await pass(0)
    await assert.rejects(connection.call(['EVAL', 'text']), /READONLY/)
    await pass(1000)
    assert.equal(attempts.length, 2)
    assert.equal(await connection.call(['EVAL', 'text']), 'PONG')
    assert.match(lines.join('\n'), /READONLY.*"fix":"name the master in dynamic_routes\.store, or its Sentinels/)
    await connection.close()
  })

  it('does not wait for a server when it is closed', { timeout: 5000 }, async () => {
    for (const open of [() => never, async () => Promise.reject(new Error('no')), async () => link(() => never)]) {
      const { connection, pass } = setUp(open)
      await pass(0)
      await connection.close()
    }
  })

  it('closes a link that is established too late', async () => {
    let isClosed = false
    let finish = (_: RedisLink) => {}
    const { connection, pass } = setUp(
      () =>
        new Promise(resolve => {
          finish = resolve
        }),
    )
    await pass(0)
    await connection.close()
    finish({
      ...link(),
      close() {
        isClosed = true
      },
    })
    await pass(0)
    assert.ok(isClosed)
  })
})
