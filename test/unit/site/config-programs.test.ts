import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accepted, refusedOnce, yaml } from './load-config.ts'

describe('config: init', () => {
  it('accepts commands and objects', () => {
    const { init } = accepted(yaml('init: [npm run migrate, [node, "a b.js"], {command: node c.js, timeout: 10s}]'))
    assert.deepEqual(init, [
      { command: ['npm', 'run', 'migrate'], env: {}, timeout: 300_000, after: [] },
      { command: ['node', 'a b.js'], env: {}, timeout: 300_000, after: [] },
      { command: ['node', 'c.js'], env: {}, timeout: 10_000, after: [] },
    ])
  })

  const wrong: [string, string, RegExp, RegExp][] = [
    ['["a | b"]', 'init.0', /^contains the shell operator \|/, /^commands do not run in a shell/],
    ['[{command: "a | b"}]', 'init.0.command', /^contains the shell operator \|/, /^commands do not run in a shell/],
    ['[{command: x, tiemout: 3s}]', 'init.0.tiemout', /^is not a known key/, /^did you mean init\.0\.timeout/],
    ['[{timeout: 3s}]', 'init.0.command', /^expected a list of words or one string/, /^set init\.0\.command/],
    ['[{command: x, timeout: 3}]', 'init.0.timeout', /^expected a duration/, /^set /],
    ['[null]', 'init.0', /^expected a command, or \{command: …\}/, /^set /],
    ['[[]]', 'init.0', /^expected at least the program/, /^set /],
    ['npm run migrate', 'init', /^expected a list of commands/, /^set /],
    ['[{command: x, env: {A: [hunter2]}}]', 'init.0.env.A', /^expected text/, /^set /],
  ]
  for (const [text, key, message, fix] of wrong) {
    it(`rejects ${text}`, () => {
      const problem = refusedOnce(yaml(`# first\ninit: ${text}`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, message)
      assert.match(problem.fix, fix)
      assert.equal(problem.source, 'monohull.yaml:2')
      assert.doesNotMatch(JSON.stringify(problem), /hunter2/)
    })
  }
})

describe('config: processes', () => {
  it('have defaults, and a variable for each key', () => {
    const { processes } = accepted({
      ...yaml('processes: {mail-queue: {command: node q.js}}'),
      env: { MONOHULL_PROCESSES_MAIL_QUEUE_COUNT: '3', MONOHULL_PROCESSES_MAIL_QUEUE_BACKOFF_MAX: '1m' },
    })
    assert.deepEqual(processes['mail-queue'], {
      command: ['node', 'q.js'],
      env: {},
      count: 3,
      after: [],
      graceful_timeout: 8000,
      min_uptime: 2000,
      backoff: { initial: 200, max: 60_000 },
      restart: 'always',
      on_failure: 'restart',
    })
  })

  it('have a signal to stop them, with or without SIG', () => {
    for (const [text, signal] of Object.entries({ QUIT: 'SIGQUIT', sigwinch: 'SIGWINCH', SIGUSR1: 'SIGUSR1' })) {
      const { processes, app } = accepted(
        yaml(`{app: {stop_signal: ${text}}, processes: {q: {command: x, stop_signal: ${text}}}}`),
      )
      assert.deepEqual([processes.q?.stop_signal, app.stop_signal], [signal, signal])
    }
    for (const text of ['KILL', 'SIGSTOP', '15', '"15"', '[QUIT]']) {
      const { key, problem } = refusedOnce(yaml(`processes: {q: {command: x, stop_signal: ${text}}}`))
      assert.equal(key, 'processes.q.stop_signal')
      assert.match(problem, /^expected TERM, INT, QUIT, HUP, USR1, USR2 or WINCH/)
    }
  })

  it('have the time that a stop leaves', () => {
    const { processes, app } = accepted(yaml('{stop_timeout: 6s, stop_delay: 2s, processes: {q: {command: x}}}'))
    assert.deepEqual([processes.q?.graceful_timeout, app.graceful_timeout], [4000, 4000])
  })

  it('can end everything after several failures (exit_after)', () => {
    const { processes } = accepted({
      ...yaml('processes: {q: {command: x, on_failure: exit, exit_after: {within: 10s}}}'),
      env: { MONOHULL_PROCESSES_Q_EXIT_AFTER_FAILURES: '3' },
    })
    assert.deepEqual(processes.q?.exit_after, { failures: 3, within: 10_000 })
  })

  const wrong: [string, string, RegExp][] = [
    ['{q: {command: x, cuont: 2}}', 'processes.q.cuont', /^is not a known key/],
    ['{q: }', 'processes.q.command', /^expected a list of words/],
    ['{q: {command: x, count: 0}}', 'processes.q.count', /^expected a whole number from 1/],
    ['{q: {command: x, backoff: {initial: 1m, max: 2s}}}', 'processes.q.backoff.initial', /^expected at most/],
    ['{q: {command: x, exit_after: {failures: 3}}}', 'processes.q.exit_after', /^expected on_failure: exit beside it/],
    ['{q: {command: x, graceful_timeout: 10s}}', 'processes.q.graceful_timeout', /^expected at most stop_timeout/],
    ['{q: node x}', 'processes.q', /^expected keys and values below it/],
    ['{q: {command: x, after: [q]}}', 'processes.q.after.0', /^names itself/],
    ['{q: {command: x, after: [qeue]}}', 'processes.q.after.0', /^is neither a process nor an app/],
    ['{q: {command: x, after: q}}', 'processes.q.after', /^expected a list of names/],
    [
      '{q: {command: x, after: [r]}, r: {command: x, after: [s]}, s: {command: x, after: [r]}}',
      'processes.r.after.0',
      /^makes a cycle: r → s → r/,
    ],
    ['{q: {command: x, ready: {}}}', 'processes.q.ready', /^expected one of tcp, unix, http, exec, line$/],
    ['{q: {command: x, ready: {tcp: 1, line: up}}}', 'processes.q.ready', /line, not tcp and line$/],
    ['{q: {command: x, ready: {tcp: 70000}}}', 'processes.q.ready.tcp', /^expected a port such as 6379/],
    [
      '{q: {command: x, ready: {http: "https://localhost"}}}',
      'processes.q.ready.http',
      /^expected a URL such as http:/,
    ],
    ['{q: {command: x, health: {tcp: 1, line: up}}}', 'processes.q.health.line', /^is not a known key/],
    ['{q: {command: x, health: {tcp: 1, interval: 1ms}}}', 'processes.q.health.interval', /^expected a duration of at/],
    ['{app: {command: x}}', 'processes.app', /^is also the name of an app/],
    ['{init: {command: x}}', 'processes.init', /^expected another name/],
    ['{A: {command: x}}', 'processes.A', /^expected lower-case letters/],
    ['[node x]', 'processes', /^expected names with \{command: …\} each/],
  ]
  for (const [text, key, message] of wrong) {
    it(`rejects ${text}`, () => {
      const problem = refusedOnce(yaml(`# first\nprocesses: ${text}`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, message)
      assert.notEqual(problem.fix, '')
    })
  }

  it('come after processes and apps, and no init command comes after an app', () => {
    const { app, init, processes } = accepted(
      yaml(
        '{app: {after: [q]}, init: [{command: x, after: [db]}], processes: {q: {command: x, after: [db]}, db: {command: x}}}',
      ),
    )
    assert.deepEqual([app.after, init[0]?.after, processes.q?.after], [['q'], ['db'], ['db']])
    const late = refusedOnce(yaml('{init: [{command: x, after: [q]}], processes: {q: {command: x, after: [app]}}}'))
    assert.equal(late.key, 'init.0.after.0')
    assert.match(late.problem, /^comes after an app: q → app; apps start after the init commands/)
  })

  it('are ready by a line only where their lines are seen', () => {
    const { key } = refusedOnce(yaml('{log_format: raw, processes: {q: {command: x, ready: {line: up}}}}'))
    assert.equal(key, 'processes.q.ready.line')
  })
})
