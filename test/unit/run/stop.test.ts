import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import type { HookRunner } from '../../../supervisor/programs/hook-runner.ts'
import { createRun } from '../../../supervisor/run/run.ts'
import { type StopReason, stop } from '../../../supervisor/run/stop.ts'
import type { Subject } from '../../../supervisor/run/subject.ts'
import type { Settings } from '../../../supervisor/site/settings.ts'
import { createHandClock } from '../hand-clock.ts'
import { systemError } from '../refusing-system.ts'

type Step = 'quiesce' | 'stop' | 'close'

const settings = { config: { stop_timeout: 10_000, stop_delay: 1000 }, hooks: {} } as unknown as Settings
const names = ['front', 'apps', 'processes', 'watch', 'nginx']
const noRoom = systemError('ENOSPC', 'write')

/** A run of subjects that write down what they are asked; a step that `fails` (`stop nginx`) throws, or `rejects`. */
function setUp({ fails = [], rejects = [] }: { fails?: readonly string[]; rejects?: readonly string[] } = {}) {
  const { clock, advance } = createHandClock()
  const calls: string[] = []
  const lines: string[] = []
  const log = createLog({ format: 'text', level: 'error', now: () => 0, write: line => void lines.push(line) })
  const run = createRun(settings, log)

  function note(step: Step, name: string): Promise<void> | undefined {
    calls.push(`${step} ${name}`)
    if (fails.includes(`${step} ${name}`)) throw noRoom
    return rejects.includes(`${step} ${name}`) ? Promise.reject(noRoom) : undefined
  }

  function subject(name: string): Subject {
    return {
      name,
      isIndependent: name === 'watch',
      stopsLast: name === 'processes',
      quiesce: () => note('quiesce', name),
      stop: async () => note('stop', name),
      close: () => note('close', name),
    }
  }
  for (const name of names) run.add(subject(name))

  /** Settles when the stop has; a minute of time is more than it may take. */
  async function ended(reason: StopReason = { mode: 'graceful', code: 0 }, hooks?: Partial<HookRunner>): Promise<void> {
    const over = stop(
      {
        clock,
        log,
        run,
        hooks: hooks as HookRunner | undefined,
        isServing: true,
        mayHaveBeenReady: true,
        hurried: new Promise(() => {}),
      },
      reason,
    ).then(() => calls.push('over'))
    await advance(60_000)
    assert.equal(calls.at(-1), 'over')
    await over
  }

  return {
    calls,
    lines,
    run,
    clock,
    log,
    advance,
    subject,
    ended,
    count: (call: string) => calls.filter(each => each === call).length,
  }
}

describe('a stop', { timeout: 60_000 }, () => {
  for (const mayHaveBeenReady of [true, false])
    it(`${mayHaveBeenReady ? 'waits' : 'does not wait'} for load balancers if it was ${mayHaveBeenReady ? '' : 'never '}ready`, async () => {
      const { calls, run, clock, log, advance } = setUp()
      const deps = {
        clock,
        log,
        run,
        hooks: undefined,
        isServing: true,
        mayHaveBeenReady,
        hurried: new Promise<void>(() => {}),
      }
      const over = stop(deps, { mode: 'graceful', code: 0 })
      await advance(settings.config.stop_delay / 2)
      assert.equal(calls.includes('stop nginx'), !mayHaveBeenReady)
      await advance(60_000)
      await over
    })

  it('ends what serves backwards, and closes it when nothing runs', async () => {
    const { calls, ended, lines } = setUp()
    await ended()
    assert.deepEqual(calls, [
      ...names.map(name => `quiesce ${name}`),
      ...['stop watch', 'stop nginx', 'stop apps', 'stop front', 'stop processes'],
      ...['stop watch', 'stop nginx', 'stop apps', 'stop front', 'stop processes'],
      ...['close nginx', 'close watch', 'close processes', 'close apps', 'close front'],
      'over',
    ])
    assert.deepEqual(lines, [])
  })

  for (const mode of ['graceful', 'quick'] as const) {
    for (const name of names) {
      for (const step of ['quiesce', 'stop', 'close'] as const) {
        for (const how of ['fails', 'rejects'] as const) {
          it(`(${mode}) ends and closes all others when ${step} of ${name} ${how}, and says so`, async () => {
            const { ended, lines, count } = setUp({ [how]: [`${step} ${name}`] })
            await ended({ mode, code: 0 })
            for (const each of names) {
              assert.equal(count(`quiesce ${each}`), 1, each)
              assert.ok(count(`stop ${each}`) >= 1, each)
              assert.equal(count(`close ${each}`), 1, each)
            }
            for (const line of lines) assert.match(line, new RegExp(`part="?${name}"? error="ENOSPC.*; free space`))
            assert.ok(lines.length > 0)
          })
        }
      }
    }
  }

  it('goes on when its hooks cannot be run', async () => {
    const { calls, ended, count } = setUp()
    const refused = async () => {
      throw systemError('EMFILE', 'open')
    }
    await ended({ mode: 'graceful', code: 0 }, { attempt: refused, settled: refused, end: refused })
    for (const name of names) assert.equal(count(`close ${name}`), 1, calls.join())
  })

  for (const [how, endsAfterMs] of [
    ['graceful', 11_000],
    ['hurried', 950],
  ] as const) {
    it(`(${how}) ends although a subject never stops, and closes all others`, async () => {
      const { clock, advance } = createHandClock()
      const lines: string[] = []
      const log = createLog({ format: 'text', level: 'error', now: () => 0, write: line => void lines.push(line) })
      const run = createRun(settings, log)
      const closed: string[] = []
      const never = () => new Promise(() => {})
      run.add({ name: 'first', close: () => void closed.push('first') })
      run.add({ name: 'relay', close: never })
      run.add({ name: 'nginx', stop: async () => {} })
      const hurried = how === 'hurried' ? Promise.resolve() : new Promise<void>(() => {})
      const deps = { clock, log, run, hooks: undefined, isServing: true, mayHaveBeenReady: true, hurried }
      let endedAt: number | undefined
      const over = stop(deps, { mode: 'graceful', code: 0 }).then(() => {
        endedAt = clock.monotonic()
      })
      await advance(30_000)
      await over
      assert.ok(endedAt !== undefined && endedAt <= endsAfterMs, `${endedAt}`)
      assert.deepEqual(closed, ['first'])

      const stuck = createRun(settings, log)
      stuck.add({ name: 'nginx', stop: never })
      const from = clock.monotonic()
      const late = stop({ ...deps, run: stuck }, { mode: 'graceful', code: 0 }).then(() => {
        endedAt = clock.monotonic() - from
      })
      await advance(30_000)
      await late
      assert.ok(endedAt <= endsAfterMs, `${endedAt}`)
      assert.match(lines.at(-1) ?? '', /the stop did not finish in time/)
    })
  }

  it('ends what is added meanwhile too, though that throws', async () => {
    const { run, subject, ended, count, lines } = setUp({ fails: ['quiesce late', 'stop late', 'close late'] })
    const hooks = {
      attempt: async () => void run.add(subject('late')),
      settled: async () => {},
      end: async () => {},
    }
    await ended({ mode: 'graceful', code: 0 }, hooks)
    for (const step of ['quiesce late', 'close late', 'close front']) assert.equal(count(step), 1, step)
    assert.ok(count('stop late') >= 1)
    assert.ok(lines.length >= 3)
    assert.equal(run.isDraining(), true)
  })
})
