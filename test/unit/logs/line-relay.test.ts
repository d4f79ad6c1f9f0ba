import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import type { LogFormat } from '../../../supervisor/base/log.ts'
import { relayLines } from '../../../supervisor/logs/adapters/line-relay.ts'
import type { Output } from '../../../supervisor/logs/adapters/output.ts'

const time = '2026-11-21T10:00:00.000Z'
const prefix = `${time} app.1[4711] stdout| `
const head = { time, source: 'app.1', pid: 4711, stream: 'stdout' }

/** An output that keeps everything, and is full for as long as somebody says so. */
function collect() {
  const parts: Buffer[] = []
  let full: Promise<void> | undefined
  const output: Output = {
    // the relay uses its buffer again
    write: data => void parts.push(Buffer.from(data as Buffer)),
    full: () => full,
    end: () => Promise.resolve(true),
  }
  const block = () => {
    let release = () => {}
    full = new Promise(resolve => {
      release = () => {
        full = undefined
        resolve()
      }
    })
    return release
  }
  return { output, block, bytes: () => Buffer.concat(parts) }
}

function relay(stream: Readable, output: Output, format: LogFormat) {
  const options = { source: 'app.1', pid: 4711, streamName: 'stdout' as const, now: () => Date.parse(time) }
  return relayLines({ ...options, stream, output, format })
}

async function relayed(format: LogFormat, ...chunks: (Buffer | string)[]): Promise<Buffer> {
  const stream = new PassThrough()
  const { output, bytes } = collect()
  const { ended } = relay(stream, output, format)
  for (const chunk of chunks) {
    stream.write(chunk)
    await setImmediate()
  }
  stream.end()
  await ended
  return bytes()
}

const records = (bytes: Buffer) =>
  bytes
    .toString()
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

describe('logs/adapters/line-relay: text', () => {
  it('prefixes each line with its source', async () => {
    assert.equal((await relayed('text', 'one\ntwo\n')).toString(), `${prefix}one\n${prefix}two\n`)
  })

  it('joins a line that arrives in pieces', async () => {
    assert.equal((await relayed('text', 'o', 'n', 'e\ntw', 'o\n')).toString(), `${prefix}one\n${prefix}two\n`)
  })

  it('terminates an unterminated last line', async () => {
    assert.equal((await relayed('text', 'one\ntwo')).toString(), `${prefix}one\n${prefix}two\n`)
  })

  it('keeps empty lines and adds none', async () => {
    assert.equal((await relayed('text', '\n\none\n')).toString(), `${prefix}\n${prefix}\n${prefix}one\n`)
    assert.equal((await relayed('text')).toString(), '')
  })

  it('passes on a line of 1 MB whole', async () => {
    const chunks = Array.from({ length: 16 }, () => 'x'.repeat(1 << 16))
    const expected = Buffer.from(`${prefix}${chunks.join('')}\n${prefix}next\n`)
    assert.ok((await relayed('text', ...chunks, '\nnext\n')).equals(expected))
  })

  it('splits an endless line without losing a byte', async () => {
    const chunks = Array.from({ length: 80 }, () => Buffer.alloc(1 << 16, 'x'))
    const lines = (await relayed('text', ...chunks)).toString().split('\n').slice(0, -1)
    assert.ok(lines.length > 1)
    assert.equal(lines.map(line => line.slice(prefix.length)).join(''), 'x'.repeat(80 << 16))
  })

  it('preserves all bytes, however they arrive', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const chunks = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.constant(all)), {
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(chunks, async given => {
        const sent = Buffer.concat(given).toString('latin1')
        const got = (await relayed('text', ...given.map(chunk => Buffer.from(chunk)))).toString('latin1')
        assert.equal(got.replaceAll(prefix, ''), sent === '' || sent.endsWith('\n') ? sent : `${sent}\n`)
      }),
      { numRuns: 50 },
    )
  })
})

describe('logs/adapters/line-relay: short', () => {
  it('prefixes each line with the time of day and its source', async () => {
    const lines = (await relayed('short', 'one\ntwo\n')).toString()
    assert.match(lines, /^\d\d:\d\d:\d\d app\.1 \| one\n\d\d:\d\d:\d\d app\.1 \| two\n$/)
  })
})

describe('logs/adapters/line-relay: JSON', () => {
  it('writes one object per line', async () => {
    assert.deepEqual(records(await relayed('json', 'one\n"two"\\\tü€\n')), [
      { ...head, line: 'one' },
      { ...head, line: '"two"\\\tü€' },
    ])
  })

  it('joins characters that arrive in pieces', async () => {
    const euro = Buffer.from('€\n')
    assert.deepEqual(records(await relayed('json', euro.subarray(0, 1), euro.subarray(1))), [{ ...head, line: '€' }])
  })

  it('encodes lines that are not UTF-8 as base64, and only those', async () => {
    const binary = Buffer.from([0xff, 0x00, 0x80])
    const bytes = Buffer.concat([Buffer.from('one\n'), binary, Buffer.from('\nüber\n')])
    assert.deepEqual(records(await relayed('json', bytes)), [
      { ...head, line: 'one' },
      { ...head, line_base64: binary.toString('base64') },
      { ...head, line: 'über' },
    ])
  })

  it('keeps a line of 1 MB and an unterminated last line', async () => {
    const line = 'x'.repeat(1 << 20)
    assert.deepEqual(
      records(await relayed('json', `${line}\nlast`)).map(record => record.line),
      [line, 'last'],
    )
  })
})

describe('logs/adapters/line-relay: the stream', () => {
  it('pauses while the output is full', async () => {
    const stream = new PassThrough()
    const { output, block, bytes } = collect()
    const { ended } = relay(stream, output, 'text')
    const release = block()
    stream.write('one\n')
    await setImmediate()
    assert.equal(stream.isPaused(), true)
    stream.end('two\n')
    await setImmediate()
    assert.equal(bytes().toString(), `${prefix}one\n`)
    release()
    await ended
    assert.equal(bytes().toString(), `${prefix}one\n${prefix}two\n`)
  })

  it('treats a broken pipe as the end', async () => {
    const stream = new PassThrough()
    const { output, bytes } = collect()
    const { ended } = relay(stream, output, 'text')
    stream.write('partial')
    await setImmediate()
    const closed = once(stream, 'close').catch(() => {})
    stream.destroy(new Error('ECONNRESET'))
    await Promise.all([ended, closed])
    assert.equal(bytes().toString(), `${prefix}partial\n`)
  })

  it('keeps the last bytes for the report of a dead worker', async () => {
    const stream = new PassThrough()
    const { tail, ended } = relay(stream, collect().output, 'json')
    for (let index = 0; index < 3000; index++) stream.write(`line ${index}\n`)
    stream.end('last words')
    await ended
    assert.equal(tail().length, 8192)
    assert.match(tail().toString(), /\nline 2998\nline 2999\nlast words$/)
  })
})

describe('logs/adapters/line-relay: a line without an end', () => {
  function start(t: TestContext, format: LogFormat) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const stream = new PassThrough()
    const { output, bytes, block } = collect()
    const { ended } = relay(stream, output, format)
    return {
      block,
      text: () => bytes().toString(),
      async write(chunk: Buffer | string) {
        stream.write(chunk)
        await setImmediate()
      },
      async end() {
        stream.end()
        await ended
      },
      pass: (ms: number) => t.mock.timers.tick(ms),
    }
  }

  it('is written after a second, and once', async t => {
    const { text, write, end, pass } = start(t, 'text')
    await write('one\nPassword: ')
    pass(999)
    assert.equal(text(), `${prefix}one\n`)
    pass(1)
    assert.equal(text(), `${prefix}one\n${prefix}Password: \n`)
    pass(10_000)
    await write('\nnext\n')
    assert.equal(text(), `${prefix}one\n${prefix}Password: \n${prefix}next\n`)
    await end()
    assert.equal(text(), `${prefix}one\n${prefix}Password: \n${prefix}next\n`)
  })

  it('ends without an empty line', async t => {
    const { text, write, pass } = start(t, 'text')
    await write('loading')
    pass(1000)
    await write('\n')
    await write('\n')
    assert.equal(text(), `${prefix}loading\n${prefix}\n`)
  })

  it('goes on in the next line, and never cuts a character', async t => {
    const { text, write, pass } = start(t, 'json')
    const euro = Buffer.from('a€')
    await write(euro.subarray(0, 2))
    pass(1000)
    await write(euro.subarray(2, 3))
    pass(1000)
    await write(Buffer.concat([euro.subarray(3), Buffer.from('b\n')]))
    assert.deepEqual(records(Buffer.from(text())), [
      { ...head, line: 'a' },
      { ...head, line: '€b' },
    ])
  })

  it('waits while nobody reads', async t => {
    const { text, write, block, pass } = start(t, 'text')
    const release = block()
    await write('one\nhalf a ')
    pass(5000)
    assert.equal(text(), `${prefix}one\n`)
    release()
    await setImmediate()
    await write('line\n')
    assert.equal(text(), `${prefix}one\n${prefix}half a line\n`)
  })
})
