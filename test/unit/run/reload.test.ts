import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stopping } from '../../../supervisor/base/roll-result.ts'
import { reload } from '../../../supervisor/run/reload.ts'
import { createRun, type Proposal } from '../../../supervisor/run/run.ts'
import type { Subject } from '../../../supervisor/run/subject.ts'
import type { Settings } from '../../../supervisor/site/settings.ts'
import { systemError } from '../refusing-system.ts'

const settingsOf = (name: string): Settings => ({ config: { name, https: 'off' }, hooks: {}, apps: [] }) as never

/** A run of subjects that write down what they are asked, of which some steps fail. */
function setUp(fails: readonly string[] = [], errorOf = (call: string) => new Error(`${call} failed`)) {
  const calls: string[] = []
  const lines: string[] = []
  const note = (call: string) => {
    calls.push(call)
    if (fails.includes(call)) throw errorOf(call)
  }
  const log = {
    ...{ debug() {}, info() {}, warn() {} },
    error: (message: string, fields: object = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  }
  const run = createRun(settingsOf('old'), log)
  const subject = (name: string): Subject => ({
    name,
    async prepare() {
      note(`prepare ${name}`)
      return {
        model: () => ({ accessLogPath: `next ${name}` }),
        async apply() {
          note(`apply ${name}`)
          if (fails.includes(`stop ${name}`)) return stopping
          return fails.includes(`reject ${name}`) ? { ok: false, reason: `no ${name}`, lastLines: [] } : { ok: true }
        },
        revert: () => note(`revert ${name}`),
        commit: () => note(`commit ${name}`),
      }
    },
    model: () => ({ accessLogPath: `old ${name}` }),
  })
  for (const name of ['a', 'b', 'c']) run.add(subject(name))
  const nginx = {
    async check(proposal: Proposal) {
      note(`check ${run.model(proposal).accessLogPath}`)
    },
    async take(proposal: Proposal) {
      note('take')
      await run.adopt(proposal)
    },
    async follow() {
      note(`follow ${run.model().accessLogPath}`)
    },
  }
  const hooks = { run: async () => ({ ok: true }) as const, attempt: async () => {} }
  const outcome = () =>
    reload({
      log,
      run,
      nginx,
      hooks,
      resolveAgain: async () => ({ ok: true, settings: settingsOf('new') }),
      report: () => note('report'),
    })
  return { calls, lines, run, outcome, inForce: () => (run.settings().config as { name?: string }).name }
}

describe('a reload', () => {
  it('prepares and tests everything before it applies anything, and commits once nginx has accepted it', async () => {
    const { calls, outcome, inForce } = setUp()
    assert.deepEqual(await outcome(), { ok: true, message: 'reload finished' })
    assert.deepEqual(calls, [
      ...['prepare a', 'prepare b', 'prepare c', 'check next c'],
      ...['apply a', 'apply b', 'apply c', 'take', 'commit a', 'commit b', 'commit c', 'report'],
    ])
    assert.equal(inForce(), 'new')
  })

  const failures: [string, string, string[]][] = [
    ['a subject cannot prepare', 'prepare c', ['prepare a', 'prepare b', 'prepare c', 'revert b', 'revert a']],
    [
      'nginx refuses the test',
      'check next c',
      ['prepare a', 'prepare b', 'prepare c', 'check next c', 'revert c', 'revert b', 'revert a'],
    ],
    [
      'nginx does not take it',
      'take',
      [
        ...['prepare a', 'prepare b', 'prepare c', 'check next c', 'apply a', 'apply b', 'apply c', 'take'],
        ...['revert c', 'revert b', 'revert a'],
      ],
    ],
  ]
  for (const [when, step, expected] of failures) {
    it(`commits nothing, and updates nginx with the settings in force, when ${when}`, async () => {
      const { calls, outcome, inForce } = setUp([step])
      const result = await outcome()
      assert.deepEqual(result, {
        ok: false,
        message: 'reload abandoned, nothing has changed',
        reason: `${step} failed`,
      })
      assert.deepEqual(calls, [...expected, 'follow old c'])
      assert.equal(inForce(), 'old')
    })
  }

  it('reverts the changes applied before the failed one', async () => {
    const { calls, outcome } = setUp(['reject b'])
    assert.match(JSON.stringify(await outcome()), /"reason":"no b/)
    assert.deepEqual(calls.slice(4), [
      ...['apply a', 'apply b', 'revert a'],
      ...['revert c', 'revert b', 'revert a', 'follow old c'],
    ])
  })

  it('that a stop interrupts says so, and does not blame the app', async () => {
    assert.equal(((await setUp(['stop b']).outcome()) as { reason?: string }).reason, 'monohull is stopping')
    assert.match(JSON.stringify(await setUp(['reject b']).outcome()), /"no b; fix the app"/)
  })

  it('reverts the remaining changes if one cannot be reverted', async () => {
    const { calls, lines, outcome } = setUp(['take', 'revert b'])
    assert.match(JSON.stringify(await outcome()), /"reason":"take failed"/)
    assert.deepEqual(calls.slice(8), ['revert c', 'revert b', 'revert a', 'follow old c'])
    assert.deepEqual(lines, ['cannot revert all changes of an abandoned reload {"error":"revert b failed"}'])
  })

  it('is in force for all subjects, even if one cannot finish', async () => {
    const { calls, lines, outcome, inForce } = setUp(['commit a'])
    assert.equal((await outcome()).ok, true)
    assert.deepEqual(calls.slice(8), ['commit a', 'commit b', 'commit c', 'report'])
    assert.deepEqual(lines, ['cannot finish a reload {"part":"a","error":"commit a failed"}'])
    assert.equal(inForce(), 'new')
  })

  for (const step of ['prepare b', 'check next c', 'apply b', 'take'] as const) {
    for (const [code, fix] of [
      ['ENOSPC', 'free space'],
      ['EMFILE', 'raise the limit of open files'],
      ['EAGAIN', 'raise the limit of processes'],
    ] as const) {
      it(`is abandoned when ${step} throws ${code}, with the errno and what to do`, async () => {
        const { calls, outcome, inForce } = setUp([step], call => systemError(code, call))
        const result = await outcome()
        assert.equal(result.ok, false)
        assert.match(JSON.stringify(result), new RegExp(`"reason":"${code}: .*; ${fix}`))
        assert.equal(inForce(), 'old')
        const prepared = ['a', 'b', 'c'].filter(name => step !== 'prepare b' || name === 'a')
        for (const name of prepared) assert.ok(calls.includes(`revert ${name}`), calls.join())
        assert.equal(calls.at(-1), 'follow old c')
      })
    }
  }

  it('says so when nginx cannot be told what is in force still', async () => {
    const { lines, outcome } = setUp(['take', 'follow old c'], call => systemError('ENOSPC', call))
    assert.equal((await outcome()).ok, false)
    await new Promise(resolve => setImmediate(resolve))
    assert.match(lines.join(), /ENOSPC: .*follow old c/)
  })
})
