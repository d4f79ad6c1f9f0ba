import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createNginx } from '../../../supervisor/nginx/service.ts'
import { systemError } from '../refusing-system.ts'
import { createNginxSystem, createRefusingFiles, rendered } from './faulty-nginx.ts'

async function setUp() {
  const system = createNginxSystem()
  const files = createRefusingFiles()
  const nginx = createNginx({ ...system.deps, files })
  await nginx.start(rendered('one'))
  await system.advance(2000)
  /** Has time pass until `act` has ended. */
  async function settle(act: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = act.finally(() => {
      isOver = true
    })
    over.catch(() => {}) // whoever asked looks at it
    for (let step = 0; step < 300 && !isOver; step++) await system.advance(100)
    assert.ok(isOver, 'it has not ended')
    await act
  }
  const apply = (text: string) => settle(nginx.apply(() => rendered(text)))
  const follow = (text: string) => settle(nginx.follow(() => rendered(text)))
  const hups = () => system.children.at(-1)?.signals.filter(signal => signal === 'SIGHUP').length
  return { ...system, files, nginx, settle, apply, follow, hups }
}

describe('an nginx whose configuration cannot be', { timeout: 5000 }, () => {
  const faults = [
    ['staged', 'stage', systemError('ENOSPC', 'write')],
    ['tested, for want of a process', 'test', systemError('EAGAIN', 'spawn nginx')],
    ['tested, for want of descriptors', 'test', systemError('EMFILE', 'spawn nginx')],
    ['put in use on a full disk', 'promote', systemError('ENOSPC', 'symlink')],
    ['put in use on a disk that is read-only', 'promote', systemError('EROFS', 'symlink')],
  ] as const
  for (const [what, step, error] of faults) {
    it(`${what} goes on with the last one, leaves no files, and takes the next`, async () => {
      const { files, apply, follow, hups, nginx, settle } = await setUp()
      files.refuse[step] = error
      await assert.rejects(apply('two'), error)
      await assert.rejects(follow('two'), error)
      if (step !== 'promote') await assert.rejects(settle(nginx.check(() => rendered('two'))), error)
      assert.deepEqual([hups(), files.current()], [0, 'generation-1'])
      assert.deepEqual([...files.folders], ['generation-1'])
      files.refuse[step] = undefined
      await follow('two')
      assert.equal(hups(), 1)
      assert.deepEqual([...files.folders], ['generation-1', files.current()])
    })
  }

  it('staged fails the start, and leaves nothing running', async () => {
    const { deps, children } = createNginxSystem()
    const files = createRefusingFiles()
    const nginx = createNginx({ ...deps, files })
    for (const step of ['stage', 'promote'] as const) {
      files.refuse[step] = systemError('ENOSPC', 'write')
      await assert.rejects(nginx.start(rendered('one')), { code: 'ENOSPC' })
      files.refuse[step] = undefined
    }
    assert.deepEqual([children.length, files.folders.size], [0, 0])
  })

  it('taken back on a full disk gives way to the last good one, not to the one before that was refused too', async () => {
    const { files, apply, advance, deps } = await setUp()
    deps.processes.childrenOf = () => [] // it takes no configuration
    const { promote } = files
    files.promote = folder => {
      const former = promote(folder)
      files.refuse.promote = systemError('ENOSPC', 'symlink')
      return former
    }
    for (const text of ['two', 'three']) {
      files.refuse.promote = undefined
      await assert.rejects(apply(text))
    }
    files.promote = promote
    files.refuse.promote = undefined
    await advance(3000)
    assert.equal(files.current(), 'generation-1')
  })

  it('taken back on a full disk is not taken for the one that it has', async () => {
    const { files, apply, follow, hups, deps } = await setUp()
    const { childrenOf } = deps.processes
    deps.processes.childrenOf = () => [] // it takes no configuration
    const { promote } = files
    files.promote = folder => {
      const former = promote(folder)
      files.refuse.promote = systemError('ENOSPC', 'symlink')
      return former
    }
    await assert.rejects(apply('two'))
    files.promote = promote
    files.refuse.promote = undefined
    deps.processes.childrenOf = childrenOf
    const before = Number(hups())
    await follow('two')
    assert.equal(hups(), before + 1)
  })

  it('noted at the start is of no consequence', async () => {
    const { files, nginx, apply, advance } = await setUp()
    files.refuse.test = systemError('EAGAIN', 'spawn nginx')
    nginx.recordFiles()
    await advance(0)
    files.refuse.test = undefined
    await apply('two')
  })
})

describe('an nginx whose master is gone', { timeout: 5000 }, () => {
  it('takes the configuration without one: the next reads it', async () => {
    const { refuse, children, files, apply, advance, alive } = await setUp()
    refuse.spawn = systemError('EAGAIN', 'spawn nginx')
    children[0]?.exit()
    await advance(100)
    await apply('two')
    assert.equal(files.current(), 'generation-2')
    refuse.spawn = undefined
    await advance(20_000)
    assert.equal(alive().length, 1)
  })
})
