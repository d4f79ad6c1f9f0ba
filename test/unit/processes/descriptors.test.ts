import assert from 'node:assert/strict'
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import type { Output } from '../../../supervisor/logs/adapters/output.ts'
import { createSlotSockets } from '../../../supervisor/processes/adapters/listeners.ts'
import {
  childrenOf,
  isGroupAlive,
  isGroupDraining,
  memoryOfGroups,
  portsOfGroup,
  wakeUpsOf,
} from '../../../supervisor/processes/adapters/procfs.ts'
import { createSpawn } from '../../../supervisor/processes/adapters/spawn.ts'
import type { SpawnSpec } from '../../../supervisor/processes/child.ts'
import { withoutDescriptors } from '../without-descriptors.ts'

const timeout = 10_000

/** A process in a group of its own, that ends with the test. */
async function startGroup(t: TestContext): Promise<number> {
  const child: ChildProcess = spawnProcess('sleep', ['60'], { detached: true, stdio: 'ignore' })
  await new Promise(resolve => child.once('spawn', resolve))
  t.after(() => child.kill('SIGKILL'))
  return child.pid ?? assert.fail('it was not started')
}

describe('without descriptors, a look at processes', { timeout }, () => {
  it('takes no group that is there for gone, nor one that is gone for there', async t => {
    const group = await startGroup(t)
    assert.equal(await withoutDescriptors(() => isGroupAlive(group)), true)
    assert.equal(await withoutDescriptors(() => isGroupAlive(0x7fffff)), false)
  })

  it('throws nothing', async t => {
    const group = await startGroup(t)
    const seen = await withoutDescriptors(() => [
      childrenOf(process.pid),
      isGroupDraining(group),
      wakeUpsOf(group),
      memoryOfGroups([group]).get(group),
      portsOfGroup(group),
    ])
    assert.deepEqual(seen, [[], true, 0, 0, []])
  })
})

const output: Output = { write() {}, full: () => undefined, end: async () => true }
const spec: SpawnSpec = {
  name: 'app.1',
  argv: ['true'],
  directory: '/',
  env: {},
  uid: undefined,
  gid: undefined,
  inherit: [],
  output: 'relay',
  notify: true,
}

describe('without descriptors, a start', { timeout }, () => {
  const changes: string[] = []
  const spawn = createSpawn({
    stdout: output,
    stderr: output,
    format: 'text',
    now: () => 0,
    umask: process.umask(),
    onChange: ({ type }) => changes.push(type),
  })

  it('is refused with the errno and what to do, and works when there are some', async () => {
    await assert.rejects(
      withoutDescriptors(() => spawn(spec)),
      (error: unknown) => {
        assert.ok(error instanceof OperatorError)
        assert.match(error.message, /app\.1.*EMFILE/)
        assert.match(error.fix, /open files/)
        return true
      },
    )
    assert.deepEqual(changes, [])
    assert.deepEqual(await spawn(spec).exited, { kind: 'code', code: 0 })
  })
})

describe('without descriptors, a worker socket', { timeout }, () => {
  it('is refused with the errno and what to do, and bound when there are some', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-sockets-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const sockets = createSlotSockets({ uid: undefined, gid: undefined })
    const path = join(folder, 'app-1.1.sock')
    const acts: (() => unknown)[] = [() => sockets.bind(path), sockets.freePort]
    for (const act of acts) {
      await assert.rejects(withoutDescriptors(act), (error: unknown) => {
        assert.ok(error instanceof OperatorError)
        assert.match(error.message, /EMFILE/)
        assert.match(error.fix, /open files/)
        return true
      })
    }
    sockets.bind(path).close()
  })
})
