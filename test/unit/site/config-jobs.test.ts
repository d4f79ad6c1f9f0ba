import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accepted, refusedOnce, yaml } from './load-config.ts'

describe('config: jobs', () => {
  it('have defaults, and a variable for each key', () => {
    const { jobs } = accepted({
      ...yaml('jobs: {night-dump: {schedule: 30 2 * * *, command: node dump.js}}'),
      env: {
        MONOHULL_JOBS: 'off',
        MONOHULL_JOBS_NIGHT_DUMP_TIMEZONE: 'Europe/Berlin',
        MONOHULL_JOBS_NIGHT_DUMP_PING_SUCCESS: 'https://ping.test/1',
      },
    })
    assert.deepEqual(jobs['night-dump'], {
      schedule: '30 2 * * *',
      timezone: 'Europe/Berlin',
      command: ['node', 'dump.js'],
      env: {},
      timeout: 86_400_000,
      overlap: 'skip',
      retries: 0,
      backoff: { initial: 10_000, max: 300_000 },
      jitter: 0,
      on_start: false,
      catch_up: false,
      deadline: 86_400_000,
      on_failure: 'log',
      ping: { success: 'https://ping.test/1' },
    })
  })

  const wrong: [string, string, RegExp, RegExp][] = [
    ['schedule: 0 0 30 2 *', 'schedule', /never comes/, /^set /],
    ['schedule: 0 0 4 * * * 2027', 'schedule', /^expected five fields/, /^set /],
    ['schedule: "@every 5m"', 'schedule', /^expected five fields/, /^set /],
    ['schedule: 61 4 * * *', 'schedule', /^expected a minute from 0 to 59/, /^set /],
    ['timezone: Europe/Berln', 'timezone', /^expected a time zone/, /^did you mean Europe\/Berlin\?/],
    ['timezone: Middle-earth/Shire', 'timezone', /^expected a time zone/, /^set /],
    ['command: "a | b"', 'command', /^contains the shell operator \|/, /^commands do not run in a shell/],
    ['timeout: 30d', 'timeout', /^expected at most 24d/, /^set /],
    ['overlap: allow', 'overlap', /^expected skip, queue or replace/, /^set /],
    ['backoff: {initial: 1h, max: 1m}', 'backoff', /^expected initial of at most max/, /^set /],
    ['once: cluster', 'once', /^needs shared_state/, /MONOHULL_JOBS=off/],
    ['on_failure: restart', 'on_failure', /^expected log or exit/, /^set /],
    ['ping: {success: hc-ping.com/hunter2}', 'ping.success', /^expected a URL with http or https/, /^set /],
    ['cron: 0 4 * * *', 'cron', /^is not a known key/, /^known here: schedule/],
  ]
  for (const [text, key, message, fix] of wrong) {
    it(`rejects ${text}`, () => {
      const [name = ''] = text.split(':')
      const usual = { schedule: 'schedule: 0 4 * * *', command: 'command: node a.js' }
      const keys = Object.entries(usual).flatMap(([other, line]) => (other === name ? [] : [line]))
      const problem = refusedOnce(yaml(`jobs:\n  dump: { ${[...keys, text].join(', ')} }`))
      assert.equal(problem.key, `jobs.dump.${key}`)
      assert.match(problem.problem, message)
      assert.match(problem.fix, fix)
      assert.doesNotMatch(JSON.stringify(problem), /hunter2/)
    })
  }

  it('are named', () => {
    const problem = refusedOnce(yaml('jobs: [{name: dump, schedule: 0 4 * * *, command: node a.js}]'))
    assert.match(problem.problem, /^expected jobs by name, such as report: \{schedule: 0 4/)
  })
})
