import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command } from '../../../supervisor/run/command.ts'
import { createCommandQueue } from '../../../supervisor/run/command-queue.ts'
import { systemError } from '../refusing-system.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

/** Queue that notes the commands that it runs, each of which ends when `end` is called. */
function createNotingQueue() {
  const ran: string[] = []
  const ends: (() => void)[] = []
  const queue = createCommandQueue({
    async run({ type }) {
      ran.push(type)
      await new Promise<void>(resolve => ends.push(resolve))
      return { ok: true, message: 'done' }
    },
    stop: mode => void ran.push(`stop ${mode}`),
    ready: Promise.resolve(),
    log,
  })
  return { queue, ran, end: () => ends.shift()?.() }
}

describe('the queue of commands', { timeout: 5000 }, () => {
  it('drops a command that its client no longer waits for', async () => {
    const { queue, ran, end } = createNotingQueue()
    let isGone = false
    const first = queue.push({ type: 'reload' }, 'a test')
    const second = queue.push({ type: 'restart' }, 'a test', { hook: undefined, isGone: () => isGone })
    const third = queue.push({ type: 'scale', workers: 2 }, 'a test', { hook: undefined, isGone: () => false })
    await new Promise(resolve => setImmediate(resolve))
    isGone = true
    end()
    await first
    assert.match(JSON.stringify(await second), /"ok":false,.*its client is gone/)
    end()
    await third
    assert.deepEqual(ran, ['reload', 'scale'])
  })

  it('rejects commands from hooks that would wait for themselves or run without end', async () => {
    const { queue, ran } = createNotingQueue()
    const rejected: [string, Command][] = [
      ['before_reload', { type: 'reload' }],
      ['after_reload', { type: 'purgeCache' }],
      ['before_stop', { type: 'stop' }],
      ['worker_ready', { type: 'restart' }],
      ['worker_exit', { type: 'scale', workers: 2 }],
    ]
    for (const [hook, command] of rejected) {
      const outcome = await queue.push(command, 'a test', { hook, isGone: () => false })
      assert.match(JSON.stringify(outcome), /"ok":false,"message":"command rejected"/, hook)
    }
    assert.deepEqual(ran, [])
  })

  it('runs other commands from hooks', async () => {
    const { queue, ran, end } = createNotingQueue()
    const client = { isGone: () => false }
    const purged = queue.push({ type: 'purgeCache' }, 'a test', { ...client, hook: 'worker_ready' })
    await new Promise(resolve => setImmediate(resolve))
    end()
    assert.equal((await purged).ok, true)
    await queue.push({ type: 'stop' }, 'a test', { ...client, hook: 'worker_exit' })
    assert.deepEqual(ran, ['purgeCache', 'stop graceful'])
  })

  it('goes on after one that the system refused, which fails with the errno and what to do', async () => {
    const refusals = [systemError('EMFILE', 'open'), systemError('ENOSPC', 'write')]
    const queue = createCommandQueue({
      async run() {
        const refusal = refusals.shift()
        if (refusal) throw refusal
        return { ok: true, message: 'done' }
      },
      stop() {},
      ready: Promise.resolve(),
      log,
    })
    const commands: Command[] = [{ type: 'reload' }, { type: 'restart' }, { type: 'reload' }]
    const outcomes = await Promise.all(commands.map(command => queue.push(command, 'a test')))
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [false, false, true],
    )
    assert.match(JSON.stringify(outcomes), /EMFILE: .*; raise the limit.*ENOSPC: .*; free space/)
  })

  it('runs a command that follows an equal one only once while that one waits', async () => {
    const ran: string[] = []
    let finish = () => {}
    const queue = createCommandQueue({
      async run({ type }) {
        ran.push(type)
        await new Promise<void>(resolve => {
          finish = resolve
        })
        return { ok: true, message: `${type} ${ran.length}` }
      },
      stop() {},
      ready: Promise.resolve(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
    const push = (type: 'reload' | 'restart') => queue.push({ type }, 'a test')
    const turn = () => new Promise(resolve => setImmediate(resolve))
    const first = push('reload')
    await turn()
    const storm = Array.from({ length: 9 }, () => push('reload'))
    const others = [push('restart'), push('reload'), push('reload')]
    const more = [1, -1, 1].map(() => queue.push({ type: 'scaleBy', change: 1 }, 'a test'))
    for (let commands = 0; commands < 7; commands++) {
      finish()
      await turn()
    }
    assert.deepEqual(ran, ['reload', 'reload', 'restart', 'reload', 'scaleBy', 'scaleBy', 'scaleBy'])
    assert.deepEqual((await first).message, 'reload 1')
    assert.deepEqual(new Set((await Promise.all(storm)).map(({ message }) => message)), new Set(['reload 2']))
    assert.deepEqual(
      (await Promise.all(others)).map(({ message }) => message),
      ['restart 3', 'reload 4', 'reload 4'],
    )
    await Promise.all(more)
  })
})
