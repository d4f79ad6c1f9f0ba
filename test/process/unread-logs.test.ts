// needs: python3
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { readInstance } from '../../supervisor/run/adapters/instance.ts'
import { defer, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

type Pipe = { writer: number; leave: () => Promise<void> }

/** As Docker gives it; the reader is a program that never reads. */
async function makePipe(t: TestContext): Promise<Pipe> {
  const code = 'import os, sys; _, writer = os.pipe(); print(writer, flush=True); sys.stdin.read()'
  const holder = spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  const left = once(holder, 'exit')
  const leave = async () => {
    holder.stdin.end()
    await left
  }
  defer(t, leave)
  const [descriptor] = await once(holder.stdout, 'data')
  return { writer: openSync(`/proc/${holder.pid}/fd/${String(descriptor).trim()}`, constants.O_WRONLY), leave }
}

async function makeNamedPipe(t: TestContext): Promise<Pipe> {
  const path = join(temporaryFolder(t), 'log.fifo')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { writer: openSync(path, constants.O_WRONLY), leave: async () => closeSync(reader) }
}

/** A monohull whose stdout and stderr go to a pipe. */
function startInto(t: TestContext, { writer }: Pipe): Monohull {
  const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], descriptor: writer })
  closeSync(writer)
  return monohull
}

async function expectServing(monohull: Monohull): Promise<void> {
  await until('monohull to serve', () => {
    assert.equal(monohull.process.exitCode, null)
    return readInstance(join(monohull.folder, 'run'))?.isServing
  })
  assert.equal((await monohull.request()).status, 200)
}

/** Writes into a pipe until it is full: every later write waits for the reader. */
function fill(descriptor: number): void {
  const writer = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    for (;;) writeSync(writer, 'x')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
  } finally {
    closeSync(writer)
  }
}

describe('logs whose reader has stopped to read', { concurrency: 2 }, () => {
  for (const [what, signals] of [
    ['a stop ends within stop_timeout', ['SIGTERM']],
    ['a second TERM ends it within a second', ['SIGTERM', 'SIGTERM']],
  ] as const) {
    it(what, async t => {
      const pipe = await makeNamedPipe(t)
      const kept = openSync(`/proc/self/fd/${pipe.writer}`, constants.O_WRONLY)
      defer(t, () => closeSync(kept))
      const monohull = startMonohull(t, {
        args: ['run', 'node', fixture('hello.cjs')],
        env: {
          MONOHULL_GRACEFUL_TIMEOUT: '1s',
          MONOHULL_STOP_TIMEOUT: signals.length === 1 ? '2s' : '60s',
          MONOHULL_WORKERS: '1',
        },
        descriptor: pipe.writer,
      })
      closeSync(pipe.writer)
      await expectServing(monohull)
      fill(kept)
      // its access line waits in the relay
      assert.equal((await monohull.request()).status, 200)
      for (const signal of signals) monohull.signal(signal)
      assert.equal(await monohull.exited, 0)
    })
  }
})

describe('logs that nobody reads', { concurrency: 2 }, () => {
  for (const [kind, make] of [
    ['a pipe', makePipe],
    ['a named pipe', makeNamedPipe],
  ] as const) {
    it(`do not keep monohull from starting: ${kind}`, async t => {
      const pipe = await make(t)
      await pipe.leave()
      const monohull = startInto(t, pipe)
      await expectServing(monohull)
      monohull.signal('SIGTERM')
      assert.equal(await monohull.exited, 0)
    })

    it(`end neither a monohull that serves, nor what it starts again: ${kind}`, async t => {
      const pipe = await make(t)
      const monohull = startInto(t, pipe)
      await expectServing(monohull)
      await pipe.leave()
      const [nginx, first, second] = [monohull.nginx(), monohull.worker(1), monohull.worker(2)]
      await monohull.request()
      process.kill(nginx, 'SIGKILL')
      process.kill(first, 'SIGKILL')
      await until('another nginx', () => monohull.nginx() !== nginx && childrenOf(monohull.nginx()).length > 0)
      await monohull.workerAfter(1, first)
      await expectServing(monohull)
      monohull.signal('SIGHUP')
      await monohull.workerAfter(2, second)
      monohull.signal('SIGTERM')
      assert.equal(await monohull.exited, 0)
    })
  }
})
