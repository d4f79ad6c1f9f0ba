import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createNginxMaster } from '../../../supervisor/nginx/master.ts'
import { systemError } from '../refusing-system.ts'
import { createNginxSystem } from './faulty-nginx.ts'

function setUp() {
  const system = createNginxSystem()
  const master = createNginxMaster(system.deps)
  return { ...system, master }
}

async function setUpStarted() {
  const started = setUp()
  assert.equal(await started.master.start(), true)
  await started.advance(2000)
  return started
}

describe('an nginx master that the system does not start', { timeout: 5000 }, () => {
  for (const code of ['EAGAIN', 'EMFILE'] as const) {
    it(`fails the start by ${code}`, async () => {
      const { master, refuse } = setUp()
      refuse.spawn = systemError(code, 'spawn nginx')
      await assert.rejects(master.start(), { code })
      assert.equal(master.isStarted(), false)
      await master.stop('fast', 0)
    })

    it(`is tried again with backoff after its death by ${code}, and serves when it can`, async () => {
      const { master, refuse, children, alive, lines, advance } = await setUpStarted()
      refuse.spawn = systemError(code, 'spawn nginx')
      children[0]?.exit({ kind: 'signal', signal: 'SIGKILL', number: 9 })
      await advance(60_000)
      assert.equal(master.isAlive(), false)
      const refused = lines.filter(line => new RegExp(`reason="${code}.*; raise`).test(line))
      assert.ok(refused.length > 5 && refused.length < 20, `${refused.length} tries in a minute`)
      refuse.spawn = undefined
      await advance(10_000)
      assert.equal(alive().length, 1)
      assert.equal(master.isAlive(), true)
      assert.match(lines.at(-1) ?? '', / info /)
      await advance(60_000)
      assert.equal(children.length, 2, 'it is started once')
    })
  }

  it('takes no reload, and reads the next configuration when it starts', async () => {
    const { master, refuse, children, advance } = await setUpStarted()
    refuse.spawn = systemError('EAGAIN', 'spawn nginx')
    children[0]?.exit()
    await advance(1000)
    assert.equal(await master.reload(2), 'gone')
    master.reopenLogs()
    refuse.spawn = undefined
    await advance(1000)
    assert.equal(children.length, 2)
    const reloaded = master.reload(2)
    await advance(100)
    assert.equal(await reloaded, 'taken')
  })

  it('is not started any more once it has to stop', async () => {
    const { master, refuse, children, advance, waiting } = await setUpStarted()
    refuse.spawn = systemError('EAGAIN', 'spawn nginx')
    children[0]?.exit()
    await advance(1000)
    await master.stop('graceful', 1000)
    assert.equal(waiting(), 0)
    refuse.spawn = undefined
    await advance(60_000)
    assert.equal(children.length, 1)
  })
})

describe('an nginx master that stops', { timeout: 5000 }, () => {
  for (const [mode, signal] of [
    ['graceful', 'SIGQUIT'],
    ['fast', 'SIGTERM'],
  ] as const)
    it(`is signalled with its workers by a ${mode} stop: they look only now and then what it tells them`, async () => {
      const { master, children } = await setUpStarted()
      const [first] = children
      assert.ok(first)
      const told: string[] = []
      const { signalGroup } = first
      first.signalGroup = name => told.push(name) > 0 && signalGroup(name)
      await master.stop(mode, 1000)
      assert.deepEqual(told, [signal])
    })

  it('is signalled alone by a stop with a handover: its workers hand their clients over once it tells them', async () => {
    const { master, children } = await setUpStarted()
    const [first] = children
    assert.ok(first)
    const told: string[] = []
    const { signal } = first
    first.signal = name => told.push(name) > 0 && signal(name)
    first.signalGroup = name => assert.fail(`the group got ${name}`)
    await master.stop('handover', 1000)
    assert.deepEqual(told, ['SIGQUIT'])
  })
})

describe('an nginx master that dies', { timeout: 5000 }, () => {
  it('during a reload: the reload settles, and its successor has workers', async () => {
    const { master, deps, children, alive, advance } = await setUpStarted()
    deps.processes.childrenOf = () => [] // it has none that is new
    const reloaded = master.reload(2)
    await advance(10)
    children[0]?.exit()
    await advance(100)
    assert.equal(await reloaded, 'gone')
    assert.deepEqual(
      alive().map(({ signals }) => signals),
      [[]],
    )
  })

  it('leaves workers that serve until its successor has some, and then quit', async () => {
    const { refuse, children, advance } = await setUpStarted()
    const [first] = children
    assert.ok(first)
    const told: string[] = []
    first.signalGroup = signal => told.push(signal) > 0
    refuse.spawn = systemError('EMFILE', 'spawn nginx')
    first.exit()
    await advance(20_000)
    assert.deepEqual(told, [])
    refuse.spawn = undefined
    await advance(15_000)
    assert.deepEqual(told, ['SIGQUIT'])
  })
})
