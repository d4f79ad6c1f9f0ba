import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import { claimRunDir, makeRunDir } from '../../../supervisor/run/adapters/instance.ts'
import { expectTrustedDirectory } from '../../../supervisor/run/adapters/trusted-directory.ts'

const skip = process.getuid?.() !== 0 && !process.env.CI && 'only root can give files away'
const other = 31_001

/** A directory that everyone may write to, as /tmp. */
function createShared(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'monohull-shared-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  chmodSync(directory, 0o1777)
  return directory
}

const isDistrust = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OperatorError)
  assert.equal(error.code, 78)
  assert.match(error.message, reason)
  assert.match(error.fix, /MONOHULL_(RUN_DIR|STATE_DIR|LOGS_FILES_DIRECTORY)/)
  return true
}

describe('a directory under one that everyone may write to', { skip }, () => {
  it('is used if it is ours, also through links of ours', t => {
    const shared = createShared(t)
    mkdirSync(join(shared, 'real'))
    symlinkSync('real', join(shared, 'link'))
    symlinkSync(join(shared, 'link/../real'), join(shared, 'chain'))
    makeRunDir(join(shared, 'chain/deeper/run'))
    expectTrustedDirectory({ key: 'state_dir', path: join(shared, 'state') })
  })

  it('is refused if another user created it, a parent of it, or a link to it', t => {
    const shared = createShared(t)
    mkdirSync(join(shared, 'run'))
    symlinkSync('/srv', join(shared, 'link'))
    chownSync(join(shared, 'run'), other, other)
    lchownSync(join(shared, 'link'), other, other)
    for (const path of ['run', 'run/deeper', 'link', 'link/deeper', './link/../run'])
      assert.throws(() => makeRunDir(join(shared, path)), isDistrust(/belongs to another user \(uid 31001\)/))
    for (const path of ['run', 'run/deeper'])
      assert.throws(
        () => expectTrustedDirectory({ key: 'state_dir', path: join(shared, path) }),
        isDistrust(/state_dir/),
      )
  })

  it('is refused with files of another user, and follows no link in it', async t => {
    const shared = createShared(t)
    const run = join(shared, 'run')
    makeRunDir(run)
    writeFileSync(join(shared, 'precious'), 'kept')
    symlinkSync(join(shared, 'precious'), join(run, `.writable-${process.pid}`))
    symlinkSync(join(shared, 'precious'), join(run, 'instance.json.next'))
    await claimRunDir(run, () => assert.fail('it ended something'))
    assert.equal(readFileSync(join(shared, 'precious'), 'utf8'), 'kept')
    chownSync(join(run, 'instance.json'), other, other)
    await assert.rejects(
      claimRunDir(run, () => assert.fail('it ended something')),
      isDistrust(/instance\.json belongs to another user/),
    )
  })

  it('is refused if everyone may write to it', t => {
    const shared = createShared(t)
    assert.throws(() => makeRunDir(shared), isDistrust(/every user may write to it/))
  })
})

describe('a directory of log files', { skip }, () => {
  const expectTrusted = (path: string) => expectTrustedDirectory({ key: 'logs.files.directory', path })

  it('is refused if another user owns it, or could put a link in the way of a file', t => {
    const shared = createShared(t)
    const logs = join(shared, 'logs')
    mkdirSync(logs)
    chownSync(logs, other, other)
    assert.throws(() => expectTrusted(logs), isDistrust(/logs belongs to another user/))
    chownSync(logs, 0, 0)
    expectTrusted(logs)
    symlinkSync(join(shared, 'precious'), join(logs, 'access.log'))
    expectTrusted(logs)
    lchownSync(join(logs, 'access.log'), other, other)
    assert.throws(() => expectTrusted(logs), isDistrust(/access\.log belongs to another user/))
  })

  it('may contain files of another user: nginx gives access.log to its workers', t => {
    const logs = join(createShared(t), 'logs')
    mkdirSync(logs)
    writeFileSync(join(logs, 'access.log'), '')
    chownSync(join(logs, 'access.log'), other, other)
    expectTrusted(logs)
  })
})
