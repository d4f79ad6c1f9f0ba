import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { fixture, startMonohull } from './monohull.ts'

/** An instance that gets a signal as soon as its first lines have run, before it has read its configuration. */
function startWithSignal(t: TestContext, signal: NodeJS.Signals) {
  return startMonohull(t, {
    args: ['run', 'node', fixture('hello.cjs')],
    files: { 'early.cjs': `process.nextTick(() => process.kill(process.pid, '${signal}'))\n` },
    env: { MONOHULL_WORKERS: '1' },
    entry: [process.execPath, '--require', './early.cjs', launcher],
  })
}

describe('a signal before the configuration is read', { concurrency: 2 }, () => {
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGWINCH'] as const)
    it(`${signal} neither ends it nor opens an inspector, and the next one is a command`, async t => {
      const monohull = startWithSignal(t, signal)
      await monohull.serving()
      assert.doesNotMatch(monohull.output(), /Debugger/)
      if (signal === 'SIGWINCH') return
      const from = monohull.output().length
      monohull.signal(signal)
      await monohull.seen(new RegExp(`command received .*from=${signal}`), from)
    })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
    it(`${signal} ends it with 0`, async t => {
      const monohull = startWithSignal(t, signal)
      assert.equal(await monohull.exited, 0)
    })
})
