import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createOutput } from '../../../supervisor/logs/adapters/output.ts'

const folder = mkdtempSync(join(tmpdir(), 'monohull-output-'))
const opened: number[] = []
let count = 0
afterEach(() => {
  for (const descriptor of opened.splice(0)) closeSync(descriptor)
})
after(() => rmSync(folder, { recursive: true, force: true }))

function open(path: string, flags: number): number {
  const descriptor = openSync(path, flags, 0o600)
  opened.push(descriptor)
  return descriptor
}

function readFrom(reader: number): Buffer {
  const buffer = Buffer.alloc(1 << 20)
  try {
    return buffer.subarray(0, readSync(reader, buffer))
  } catch {
    return Buffer.alloc(0) // empty for now
  }
}

/** A pipe whose writing end does not block, as the supervisor's stdout may be, and a way to read what waits in it. */
function pipe() {
  const path = join(folder, `pipe-${++count}`)
  execFileSync('mkfifo', [path])
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
  const reader = open(path, O_RDONLY | O_NONBLOCK)
  const writer = open(path, O_WRONLY | O_NONBLOCK)
  const read = () => readFrom(reader)
  const readBytes = async (wanted: number): Promise<Buffer> => {
    const deadline = Date.now() + 10_000
    let all = read()
    while (all.length < wanted) {
      assert.ok(Date.now() < deadline, `${all.length} of ${wanted} bytes came`)
      await setTimeout(1)
      all = Buffer.concat([all, read()])
    }
    return all
  }
  return { path, writer, reader, read, readBytes }
}

describe('logs/adapters/output', () => {
  it('writes everything, in order', async () => {
    const { writer, readBytes } = pipe()
    const output = createOutput(writer)
    for (let index = 0; index < 1000; index++)
      output.write(index % 2 ? `line ${index}\n` : Buffer.from(`line ${index}\n`))
    const expected = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join('')
    assert.equal((await readBytes(expected.length)).toString(), expected)
  })

  it('writes at once while the pipe has room', () => {
    const { writer, read } = pipe()
    const output = createOutput(writer)
    output.write('one\n')
    output.write('two\n')
    assert.equal(read().toString(), 'one\ntwo\n')
  })

  it('lets the caller use its buffer again, also while the pipe is full', async () => {
    const { writer, readBytes } = pipe()
    const output = createOutput(writer)
    const buffer = Buffer.alloc(5000)
    const expected = Array.from({ length: 100 }, (_, index) => `${String(index).repeat(2400)}\n`)
    for (const line of expected) output.write(buffer.subarray(0, buffer.write(line)))
    assert.equal((await readBytes(expected.join('').length)).toString(), expected.join(''))
  })

  it('handles a slow reader and a line longer than the pipe', async () => {
    const { writer, readBytes } = pipe()
    const output = createOutput(writer)
    const line = Buffer.alloc(1 << 20, 'x')
    output.write(line)
    output.write('\nnext\n')
    const bytes = await readBytes(line.length + 6)
    assert.ok(bytes.equals(Buffer.concat([line, Buffer.from('\nnext\n')])))
  })

  it('is full while much waits', async () => {
    const { writer, readBytes } = pipe()
    const output = createOutput(writer)
    assert.equal(output.full(), undefined)
    const bytes = Buffer.from(`${'x'.repeat(99)}\n`.repeat(20_000))
    output.write(bytes)
    const full = output.full()
    assert.ok(full)
    assert.equal(output.full(), full)
    let isRoom = false
    void full.then(() => {
      isRoom = true
    })
    await setTimeout(20) // nobody reads: nothing may happen
    assert.equal(isRoom, false)
    assert.ok((await readBytes(bytes.length)).equals(bytes))
    await full
    assert.equal(output.full(), undefined)
  })

  it('writes pending output at the end, and nothing afterwards', async () => {
    const { writer, read } = pipe()
    const output = createOutput(writer)
    output.write('one\n')
    output.write('two\n')
    await output.end()
    output.write('too late\n')
    await output.end()
    assert.equal(read().toString(), 'one\ntwo\n')
  })

  it('ends after a second if nothing reads', async () => {
    const { writer, read } = pipe()
    const output = createOutput(writer)
    output.write(Buffer.alloc(1 << 20, 'x\n'))
    const begun = Date.now()
    await output.end()
    assert.ok(Date.now() - begun < 5000)
    assert.notEqual(read().length, 0)
  })

  it('does not wait for a reader that is gone, and starts a new line for the next one', async () => {
    const { path, writer, reader, readBytes } = pipe()
    const output = createOutput(writer)
    output.write(Buffer.alloc(2 << 20, 'x'))
    await readBytes(1)
    opened.splice(opened.indexOf(reader), 1)
    closeSync(reader)
    for (let count = 0; count < 2; count++) {
      output.write(Buffer.alloc(2 << 20, 'x\n'))
      await output.full()
    }
    assert.equal(output.full(), undefined)
    const next = open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    output.write('seen\n')
    const ended = output.end()
    const deadline = Date.now() + 10_000
    let text = ''
    while (!text.endsWith('seen\n') && Date.now() < deadline) {
      text += readFrom(next).toString()
      await setTimeout(1)
    }
    await ended
    // what was in the pipe when its reader left is there still
    assert.match(text, /^x*\nseen\n$/)
  })

  it('writes to a file', async () => {
    const path = join(folder, 'log')
    const output = createOutput(open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND))
    output.write('one\n')
    output.write('two\n')
    await output.end()
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
  })
})
