import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import { type AppUse, runSleeper, untilIdle } from '../../../supervisor/workers/autoscaling/sleeper.ts'
import { isWorkerSocket } from '../../../supervisor/workers/socket-paths.ts'
import { createHandClock } from '../hand-clock.ts'

const idleMs = 60_000

/** An app that sleeps after a minute, and a sleeper that follows it. */
function startSleeper() {
  const hand = createHandClock()
  const lines: string[] = []
  const log = { debug() {}, info: note, warn: note, error: note } as Log
  function note(message: string): void {
    lines.push(message)
  }
  let wake = () => {}
  const app = {
    use: { quietMs: undefined, connections: 0 } as AppUse | undefined,
    looks: 0,
    idleMs: idleMs as number | undefined,
    isAsleep: false,
    canSleep: true,
    failure: undefined as Error | undefined,
  }
  const end = runSleeper({
    clock: hand.clock,
    log,
    app: 'app',
    pool: () => ({
      plan: () => ({ idleMs: app.idleMs }) as never,
      async sleep(isIdle) {
        if (app.failure) throw app.failure
        if (!(await isIdle()) || !app.canSleep) return undefined
        app.isAsleep = true
        return {
          woken: new Promise<void>(resolve => {
            wake = () => {
              app.isAsleep = false
              resolve()
            }
          }),
        }
      },
    }),
    async use() {
      app.looks++
      return app.use
    },
  })
  return { ...hand, app, lines, end, wake: () => wake() }
}

describe('workers/autoscaling/sleeper: untilIdle', () => {
  const awake = (awakeMs: number) => ({ awakeMs, idleMs })

  it('is the rest of the time since the last request, or since the app is awake', () => {
    assert.equal(untilIdle({ quietMs: 20_000, connections: 0 }, awake(90_000)), 40_000)
    assert.equal(untilIdle({ quietMs: undefined, connections: 0 }, awake(10_000)), 50_000)
    assert.equal(
      untilIdle({ quietMs: 900_000, connections: 0 }, awake(10_000)),
      50_000,
      'a request from before the sleep',
    )
    assert.equal(untilIdle({ quietMs: idleMs, connections: 0 }, awake(idleMs)), 0)
  })

  it('is a tenth of the time while connections are open: WebSockets and streams are use', () => {
    assert.equal(untilIdle({ quietMs: 900_000, connections: 1 }, awake(900_000)), 6000)
    assert.equal(untilIdle({ quietMs: undefined, connections: 3 }, { awakeMs: 9000, idleMs: 5000 }), 1000)
    assert.equal(untilIdle({ quietMs: undefined, connections: 3 }, { awakeMs: 9e6, idleMs: 3.6e6 }), 60_000)
  })
})

describe('workers/autoscaling/sleeper: runSleeper', () => {
  it('looks once after the time, sleeps, and looks at nothing until it is woken', async () => {
    const { app, advance, waiting, wake, lines } = startSleeper()
    await advance(idleMs - 1)
    assert.equal(app.looks, 0)
    await advance(1)
    assert.equal(app.isAsleep, true)
    assert.deepEqual(lines, ['asleep: the next request starts a worker'])
    assert.equal(waiting(), 0, 'a timer runs while it sleeps')
    wake()
    await advance(idleMs - 1)
    assert.equal(app.isAsleep, false)
    await advance(1)
    assert.equal(app.isAsleep, true)
  })

  it('looks again when the last request is that old, and not before', async () => {
    const { app, advance } = startSleeper()
    app.use = { quietMs: 25_000, connections: 0 }
    await advance(idleMs)
    assert.deepEqual([app.isAsleep, app.looks], [false, 1])
    app.use = { quietMs: idleMs, connections: 0 }
    await advance(34_999)
    assert.equal(app.looks, 1)
    await advance(1)
    assert.equal(app.isAsleep, true)
  })

  it('stays awake while a connection is open, or while nobody reports the use', async () => {
    const { app, advance } = startSleeper()
    app.use = undefined
    await advance(600_000)
    assert.equal(app.isAsleep, false)
    app.use = { quietMs: undefined, connections: 1 }
    await advance(600_000)
    assert.equal(app.isAsleep, false)
    app.use = { quietMs: 59_000, connections: 0 }
    await advance(6000)
    assert.equal(app.isAsleep, false, 'the connection was use until now')
    app.use = { quietMs: idleMs, connections: 0 }
    await advance(1000)
    assert.equal(app.isAsleep, true)
  })

  it('tries again if the app cannot sleep now, and logs one failure in a row', async () => {
    const { app, advance, lines } = startSleeper()
    app.canSleep = false
    await advance(idleMs)
    app.canSleep = true
    app.failure = new Error('EMFILE')
    await advance(300_000)
    assert.deepEqual(lines, ['cannot let an app sleep, it stays awake'])
    app.failure = undefined
    await advance(60_000)
    assert.equal(app.isAsleep, true)
  })

  it('ends with a reload, and when the key is removed', async () => {
    const ended = startSleeper()
    ended.end()
    await ended.advance(2 * idleMs)
    assert.deepEqual([ended.app.isAsleep, ended.waiting()], [false, 0])
    const removed = startSleeper()
    removed.app.idleMs = undefined
    await removed.advance(2 * idleMs)
    assert.deepEqual([removed.app.isAsleep, removed.waiting()], [false, 0])
  })
})

describe('workers/socket-paths: isWorkerSocket', () => {
  it('knows the sockets of an app, and neither links nor those of apps with a longer name', () => {
    const isOwn = (path: string) => isWorkerSocket(path, { runDir: '/run', app: 'api' })
    assert.deepEqual(
      ['/run/api-1.1.sock', '/run/api-12.34.sock', '/run/api-1.sock', '/run/api-2-1.1.sock', '/run/web-1.1.sock'].map(
        isOwn,
      ),
      [true, true, false, false, false],
    )
  })
})
