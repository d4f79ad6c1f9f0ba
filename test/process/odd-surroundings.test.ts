import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'

const hello = fixture('hello.cjs')
const launcher = join(import.meta.dirname, '../../dist/launcher.cjs')

describe('a machine that is not as usual', { concurrency: 3 }, () => {
  it('nginx is not in PATH, as for users of Debian: it is found all the same', async t => {
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { PATH } })
    await monohull.serving()
    assert.equal((await monohull.request()).status, 200)
  })

  it('the current folder was removed: told, with what to do', () => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-gone-'))
    const words = ['-c', 'cd "$1" && rmdir "$1" && exec "$2" "$3" run', 'sh', folder, process.execPath, launcher]
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8', timeout: 20_000 })
    assert.equal(
      stderr,
      'monohull: cannot start in the current folder: it was removed\n  fix: cd to a folder that is there\n',
    )
    assert.equal(status, 78)
  })
  it('the folder of the app goes while it runs: what was started serves on, and what cannot be started says why', async t => {
    const app = join(temporaryFolder(t), 'app')
    mkdirSync(app)
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { MONOHULL_DIRECTORY: app } })
    await monohull.serving()
    rmdirSync(app)
    monohull.signal('SIGUSR2')
    await monohull.seen(
      /rolling restart abandoned.* reason="app\.1: cannot start app\.1 \(node\): its folder \S+ is not there; bring it back/,
    )
    assert.equal((await monohull.request()).status, 200)
  })
})
