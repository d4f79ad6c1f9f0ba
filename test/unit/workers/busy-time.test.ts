import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import type { Settings } from '../../../supervisor/site/settings.ts'
import { busyCounterOf } from '../../../supervisor/workers/autoscaling/busy-apps.ts'
import { createBusyTime } from '../../../supervisor/workers/autoscaling/busy-time.ts'

/** Load after each response, one second apart. */
async function loads(workers: number, ...responses: (string | undefined)[]): Promise<(number | undefined)[]> {
  let now = 0
  const rest = [...responses]
  const clock = { now: () => now, monotonic: () => now, after: () => () => {} }
  const busyTime = createBusyTime({ clock, app: 'app', workers: () => workers, read: async () => rest.shift() })
  const seen: (number | undefined)[] = []
  for (const _ of responses) {
    seen.push(await busyTime.load())
    now += 1000
  }
  return seen
}

describe('workers/autoscaling/busy-time', () => {
  it('is the share of time that responses took, over all workers', async () => {
    assert.deepEqual(await loads(2, '', 'app 1.5\n', 'other 9\napp 1.5\n', 'app 11.5\n'), [undefined, 0.75, 0, 1])
  })

  it('is undefined if nginx is unavailable, or counts from zero again', async () => {
    const responses = ['app 5', undefined, 'app 5.5', 'app 0.1', 'app 0.6']
    assert.deepEqual(await loads(1, ...responses), [undefined, undefined, 0.25, undefined, 0.5])
  })

  it('ignores other apps and invalid lines', async () => {
    assert.deepEqual(await loads(1, 'apple 3', 'app x\nmy-app 3', '<html>'), [undefined, 0, 0])
  })
})

describe('workers/autoscaling/busy-apps', () => {
  const settings = (limits: object | undefined, loadFrom: string, idleMs?: number) =>
    ({
      apps: [{ plan: { app: 'api', limits, loadFrom, idleMs } }],
      config: { run_dir: '/run/monohull' },
    }) as unknown as Settings
  const features = { version: '1.26.3', hasHttp2Directive: true, hasMlKem: true }
  const limits = { min: 1, max: 4 }

  it('needs a counter only for an app that is scaled by load and does not report it', () => {
    const withLua = { ...features, luaModules: [], brotliModule: undefined, hasHttp3: false }
    assert.deepEqual(busyCounterOf(settings(limits, 'nginx'), withLua), {
      socket: '/run/monohull/busy.sock',
      apps: ['api'],
      sleepers: [],
    })
    assert.equal(busyCounterOf(settings(limits, 'worker'), withLua), undefined)
    assert.equal(busyCounterOf(settings(undefined, 'nginx'), withLua), undefined)
  })

  it('rejects an nginx without Lua, with the fix', () => {
    const withoutLua = { ...features, luaModules: undefined, brotliModule: undefined, hasHttp3: false }
    assert.throws(
      () => busyCounterOf(settings(limits, 'nginx'), withoutLua),
      (error: unknown) => error instanceof OperatorError && /libnginx-mod-http-lua, or set workers/.test(error.fix),
    )
    assert.equal(busyCounterOf(settings(limits, 'worker'), withoutLua), undefined)
  })

  it('notes the use of an app that sleeps, whatever it is written in, and rejects an nginx without Lua', () => {
    const sleeping = settings({ ...limits, min: 0 }, 'worker', 60_000)
    const other = { brotliModule: undefined, hasHttp3: false }
    assert.deepEqual(busyCounterOf(sleeping, { ...features, ...other, luaModules: [] })?.sleepers, ['api'])
    assert.throws(
      () => busyCounterOf(sleeping, { ...features, ...other, luaModules: undefined }),
      (error: unknown) => error instanceof OperatorError && /or set workers.min: 1/.test(error.fix),
    )
  })
})
