import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { openUnansweredLog } from '../../../supervisor/workers/deaths/adapters/unanswered-log.ts'
import { withoutDescriptors } from '../without-descriptors.ts'

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-unanswered-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'unanswered.log')
  writeFileSync(path, 'of an earlier run\n')
  return { path, log: openUnansweredLog(path) }
}

describe('workers/deaths/adapters/unanswered-log', () => {
  it('reads complete lines, each once', t => {
    const { path, log } = open(t)
    assert.equal(log.read(), '', 'before nginx made the file')
    appendFileSync(path, 'one\ntwo\nthr')
    assert.equal(log.read(), 'one\ntwo\n')
    assert.equal(log.read(), '')
    appendFileSync(path, 'ee\u00e9\n')
    assert.equal(log.read(), 'three\u00e9\n')
  })

  it('loses nothing while there are no descriptors', async t => {
    const { path, log } = open(t)
    appendFileSync(path, 'one\n')
    assert.equal(await withoutDescriptors(log.read), '')
    await withoutDescriptors(log.shorten)
    assert.equal(log.read(), 'one\n')
  })

  it('reads the end of a long file, and truncates a large one', t => {
    const { path, log } = open(t)
    log.shorten()
    appendFileSync(path, 'short\n')
    log.shorten()
    assert.equal(statSync(path).size, 6)
    appendFileSync(path, 'x'.repeat(1 << 20))
    appendFileSync(path, '\nlast\n')
    const read = log.read()
    assert.ok(read.length <= 256 * 1024 && read.endsWith('\nlast\n'))
    log.shorten()
    assert.equal(statSync(path).size, 0)
    appendFileSync(path, 'next\n')
    assert.equal(log.read(), 'next\n')
  })
})
