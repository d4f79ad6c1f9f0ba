import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import { isGroupAlive, readProcessStat } from '../../../supervisor/processes/adapters/procfs.ts'
import {
  claimRunDir,
  findRunning,
  type InstanceRecord,
  readInstance,
} from '../../../supervisor/run/adapters/instance.ts'
import { withoutDescriptors } from '../without-descriptors.ts'

const needsRoot = process.getuid?.() !== 0 && !process.env.CI && 'only root can mount'
const timeout = 10_000
const retryMs = 2000

function createRunDir(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-instance-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A run folder on a disk of its own, of `pages` pages. */
function mountRunDir(t: TestContext, pages: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${pages * 4}k`, 'tmpfs', folder])
  t.after(() => {
    execFileSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

/** Writes until the disk takes no more. */
function fill(path: string): void {
  const descriptor = openSync(path, 'w')
  try {
    for (let written = 0; written < 1 << 20; ) written += writeSync(descriptor, Buffer.alloc(4096))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(descriptor)
  }
}

const names = (folder: string) => readInstance(folder)?.children.map(({ name }) => name)
const written = async () => {
  await setImmediate()
  await setImmediate()
}
const unexpected = () => assert.fail('it ended something')

/** A process in a group of its own, that ends with the test. */
async function startGroup(t: TestContext, command: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const { pid } = child
  assert.ok(pid)
  t.after(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // it has ended
    }
  })
  await new Promise(resolve => child.stdout?.once('data', resolve))
  return Object.assign(child, { pid })
}

function startTimeOf(pid: number): number {
  return readProcessStat(pid)?.startTime ?? assert.fail(`${pid} is not there`)
}

/** The record of a monohull that is gone. */
function leave(folder: string, change: Partial<InstanceRecord>): void {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const gone = { name: 'monohull', pid: process.pid, startTime: startTimeOf(process.pid) - 1 }
  writeFileSync(join(folder, 'instance.json'), JSON.stringify({ bootId, supervisor: gone, children: [], ...change }))
}

describe('the record of an instance', { timeout }, () => {
  it('keeps its last whole text on a full disk, and follows when there is room', { skip: needsRoot }, async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const folder = mountRunDir(t, 4)
    const instance = await claimRunDir(folder, unexpected)
    fill(join(folder, 'filler'))
    instance.note({ type: 'started', name: 'app.1', pid: process.pid })
    await written()
    instance.update({ isServing: true })
    assert.deepEqual([names(folder), readInstance(folder)?.isServing], [[], false])
    t.mock.timers.tick(retryMs)
    await written()
    assert.deepEqual(names(folder), [])
    rmSync(join(folder, 'filler'))
    t.mock.timers.tick(retryMs)
    await written()
    assert.deepEqual([names(folder), readInstance(folder)?.isServing], [['app.1'], true])
  })

  it('is kept as it was on a disk that turned read-only', { skip: needsRoot }, async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const folder = mountRunDir(t, 4)
    const instance = await claimRunDir(folder, unexpected)
    execFileSync('mount', ['-o', 'remount,ro', folder])
    instance.note({ type: 'started', name: 'app.1', pid: process.pid })
    await written()
    assert.deepEqual(names(folder), [])
    await assert.rejects(claimRunDir(folder, unexpected), (error: unknown) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /EROFS/)
      return true
    })
    execFileSync('mount', ['-o', 'remount,rw', folder])
    t.mock.timers.tick(retryMs)
    await written()
    assert.deepEqual(names(folder), ['app.1'])
  })

  it('has a process whose start nobody could look at for want of descriptors', async t => {
    const folder = createRunDir(t)
    const instance = await claimRunDir(folder, unexpected)
    await withoutDescriptors(() => instance.note({ type: 'started', name: 'app.1', pid: process.pid }))
    await written()
    assert.deepEqual(readInstance(folder)?.children, [
      { name: 'app.1', pid: process.pid, startTime: startTimeOf(process.pid) },
    ])
  })

  it('has a process that has exited only as long as its group, so that a successor is not one too many', async t => {
    const folder = createRunDir(t)
    const instance = await claimRunDir(folder, unexpected)
    const leader = await startGroup(t, 'sleep 60 & echo; exec sleep 0')
    const next = await startGroup(t, 'echo; exec sleep 60')
    instance.note({ type: 'started', name: 'app.1', pid: leader.pid })
    if (leader.exitCode === null) await once(leader, 'exit')
    instance.note({ type: 'ended', name: 'app.1', pid: leader.pid })
    await written()
    assert.deepEqual(names(folder), ['app.1'])
    process.kill(-leader.pid, 'SIGKILL')
    while (isGroupAlive(leader.pid)) await setImmediate()
    instance.note({ type: 'started', name: 'app.1', pid: next.pid })
    await written()
    assert.deepEqual(
      readInstance(folder)?.children.map(({ pid }) => pid),
      [next.pid],
    )
  })

  it('keeps a group of which nobody could see that it has ended', async t => {
    const folder = createRunDir(t)
    const instance = await claimRunDir(folder, unexpected)
    const { pid } = await startGroup(t, 'echo ready; exec sleep 60')
    instance.note({ type: 'started', name: 'nginx', pid })
    await withoutDescriptors(() => instance.note({ type: 'ended', name: 'nginx', pid }))
    await written()
    assert.deepEqual(names(folder), ['nginx'])
  })

  const mine = { name: 'monohull', pid: process.pid, startTime: 1 }
  const foreign: [string, string | Record<string, unknown>][] = [
    ['empty', ''],
    ['torn', '{"bootId":"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['of another program', '{}'],
    ['without a supervisor', { supervisor: undefined }],
    ['without children', { children: undefined }],
    ['with a child that is none', { supervisor: mine, children: [null] }],
    ['with the group of whoever reads it', { supervisor: mine, children: [{ name: 'app.1', pid: 0, startTime: 0 }] }],
    ['with every process', { supervisor: mine, children: [{ name: 'app.1', pid: 1, startTime: 1 }] }],
    ['with half a pid', { supervisor: mine, children: [{ name: 'app.1', pid: 1.5, startTime: 0 }] }],
  ]
  for (const [what, record] of foreign) {
    it(`that is ${what} counts as none`, async t => {
      const folder = createRunDir(t)
      if (typeof record === 'string') writeFileSync(join(folder, 'instance.json'), record)
      else leave(folder, record as Partial<InstanceRecord>)
      assert.equal(readInstance(folder), undefined)
      assert.equal(findRunning(folder), undefined)
      await claimRunDir(folder, unexpected)
      assert.equal(findRunning(folder), process.pid)
    })
  }
})

describe('what a killed instance has left', { timeout }, () => {
  it('is ended, group and all', async t => {
    const folder = createRunDir(t)
    const { pid } = await startGroup(t, 'sleep 60 & echo ready; wait')
    leave(folder, { children: [{ name: 'app.1', pid, startTime: startTimeOf(pid) }] })
    const told: string[] = []
    await claimRunDir(folder, leftovers => told.push(...leftovers))
    assert.deepEqual(told, [`app.1[${pid}]`])
    assert.equal(isGroupAlive(pid), false)
  })

  it('is ended though the leader of its group is gone', async t => {
    const folder = createRunDir(t)
    const leader = await startGroup(t, 'sleep 60 >/dev/null & echo ready')
    if (leader.exitCode === null) await new Promise(resolve => leader.once('exit', resolve))
    leave(folder, { children: [{ name: 'nginx', pid: leader.pid, startTime: startTimeOf(process.pid) }] })
    const told: string[] = []
    await claimRunDir(folder, leftovers => told.push(...leftovers))
    assert.deepEqual(told, [`nginx[${leader.pid}]`])
    assert.equal(isGroupAlive(leader.pid), false)
  })

  it('is not what has its pid today', async t => {
    const folder = createRunDir(t)
    const { pid } = await startGroup(t, 'echo ready; exec sleep 60')
    leave(folder, { children: [{ name: 'app.1', pid, startTime: startTimeOf(pid) - 1 }] })
    await claimRunDir(folder, unexpected)
    assert.equal(isGroupAlive(pid), true)
  })

  it('is not what runs since another boot', async t => {
    const folder = createRunDir(t)
    const { pid } = await startGroup(t, 'echo ready; exec sleep 60')
    const supervisor = { name: 'monohull', pid, startTime: startTimeOf(pid) }
    leave(folder, { bootId: 'another', supervisor, children: [{ ...supervisor, name: 'app.1' }] })
    assert.equal(findRunning(folder), undefined)
    await claimRunDir(folder, unexpected)
    assert.equal(isGroupAlive(pid), true)
  })
})
