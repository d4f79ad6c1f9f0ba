import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findBlockingFile } from '../../../supervisor/base/adapters/blocking-file.ts'
import { describeUnread, readRegularFile } from '../../../supervisor/base/adapters/regular-file.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'regular-file-'))
  writeFileSync(join(folder, 'file'), 'text')
  execFileSync('mkfifo', [join(folder, 'pipe')])
})
after(() => rmSync(folder, { recursive: true }))

function problemOf(path: string): string {
  try {
    readRegularFile(path)
  } catch (error) {
    return describeUnread(error)
  }
  return 'none'
}

describe('base/adapters/regular-file', () => {
  it('reads files, also those of /proc', () => {
    assert.equal(`${readRegularFile(join(folder, 'file'))}`, 'text')
    assert.ok(readRegularFile('/proc/self/status').length > 100)
  })

  it('reads nothing that could block or never end', () => {
    for (const path of [join(folder, 'pipe'), '/dev/zero', '/dev/null', folder])
      assert.equal(problemOf(path), 'is not a regular file', path)
    assert.equal(problemOf(join(folder, 'nothing')), 'cannot be read: ENOENT')
  })

  it('reads nothing that is too large', () => {
    const path = join(folder, 'large')
    writeFileSync(path, '')
    truncateSync(path, 2 ** 40)
    assert.equal(problemOf(path), 'is larger than 32 MB')
  })
})

describe('base/adapters/blocking-file', () => {
  it('is a file where a directory, or one of its parents, should be', () => {
    const file = join(folder, 'file')
    assert.deepEqual([file, join(file, 'a/b')].map(findBlockingFile), [file, file])
  })

  it('is nothing that can become a directory', () => {
    for (const path of [folder, join(folder, 'a/b'), '/']) assert.equal(findBlockingFile(path), undefined)
  })
})
