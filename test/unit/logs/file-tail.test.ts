import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { openFileTail } from '../../../supervisor/logs/adapters/file-tail.ts'
import { createHandClock } from '../hand-clock.ts'

function open(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'tail-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'nginx/errors.log')
  const { clock, advance } = createHandClock()
  let text = ''
  let full: Promise<void> | undefined
  const output = {
    write(data: Buffer | string) {
      text += data
    },
    full: () => full,
    end: async () => true,
  }
  const tail = openFileTail({ clock, path, output, render: lines => lines.toString().toUpperCase() })
  return {
    path,
    tail,
    text: () => text,
    block(until: Promise<void> | undefined) {
      full = until
    },
    advance,
    poll: () => advance(15_000),
  }
}

describe('tail of a file', () => {
  it('reads soon after the kernel reports a change, also in a file that was made again', async t => {
    const { path, text, poll, advance } = open(t)
    const seen = async (expected: string) => {
      for (let looks = 0; looks < 40 && text() !== expected; looks++) {
        await setTimeout(5)
        await advance(100)
      }
      assert.equal(text(), expected)
    }
    appendFileSync(path, 'one\n')
    await seen('ONE\n')
    appendFileSync(path, 'two\n')
    await seen('ONE\nTWO\n')
    rmSync(path)
    writeFileSync(path, '')
    await poll()
    appendFileSync(path, 'three\n')
    await seen('ONE\nTWO\nTHREE\n')
  })

  it('is readable only for its user, and has what is appended, in whole lines', async t => {
    const { path, tail, text, poll } = open(t)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    appendFileSync(path, 'one\ntw')
    await poll()
    assert.equal(text(), 'ONE\n')
    appendFileSync(path, 'o\nthree\n')
    tail.close()
    assert.equal(text(), 'ONE\nTWO\nTHREE\n')
    assert.ok(!existsSync(path))
  })

  it('goes on in a file that was truncated, removed or made again', async t => {
    const { path, text, poll } = open(t)
    appendFileSync(path, 'long enough\n')
    await poll()
    writeFileSync(path, 'a\n')
    await poll()
    rmSync(path)
    await poll()
    writeFileSync(path, 'b\n')
    await poll()
    assert.equal(text(), 'LONG ENOUGH\nA\nB\n')
  })

  it('keeps the file small', async t => {
    const { path, text, poll } = open(t)
    appendFileSync(path, `${'x'.repeat(1023)}\n`.repeat(3000))
    await poll()
    assert.equal(text().length, 3000 * 1024)
    assert.equal(statSync(path).size, 0)
  })

  it('does not read while nobody reads its output, and loses lines before they fill the disk', async t => {
    const { path, text, poll, block } = open(t)
    block(new Promise(() => {}))
    appendFileSync(path, 'kept\n')
    await poll()
    assert.equal(text(), '')
    block(undefined)
    await poll()
    assert.equal(text(), 'KEPT\n')
    block(new Promise(() => {}))
    appendFileSync(path, Buffer.alloc(16 << 20, 'x\n'))
    await poll()
    assert.equal(statSync(path).size, 0)
  })
})
