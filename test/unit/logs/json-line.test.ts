import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonLine } from '../../../supervisor/logs/json-line.ts'

const own = { time: '"2026-11-21T10:00:00.000Z"', source: '"app.1"', pid: '7', stream: '"stdout"' }
const head = { time: '2026-11-21T10:00:00.000Z', source: 'app.1', pid: 7, stream: 'stdout' }
const read = (line: string) => JSON.parse(jsonLine(line, own))

describe('logs/json-line', () => {
  it('keeps the fields of an object, as they are written', () => {
    const line =
      '{"level":"warn","message":"slow","trace_id":"0af7","ms":1.50,"big":12345678901234567890, "a":{"b":[1]}}'
    assert.deepEqual(read(line), { ...head, ...JSON.parse(line) })
    assert.match(jsonLine(line, own), /"ms":1\.50,"big":12345678901234567890, "a"/)
  })

  it('has the time and pid of the program, and no key twice', () => {
    const line = '{"level":30,"time":1764000000000,"pid":9,"hostname":"a","msg":"x"}'
    const rest = { level: 30, time: 1764000000000, pid: 9, hostname: 'a', msg: 'x' }
    assert.deepEqual(read(line), { ...head, ...rest })
    assert.equal(jsonLine(line, own).match(/"time"|"pid"/g)?.length, 2)
  })

  it('does not let a program pass for another source', () =>
    assert.deepEqual(read('{"source":"nginx","stream":"access","a":1}'), {
      ...head,
      a: 1,
      app_source: 'nginx',
      app_stream: 'access',
    }))

  it('leaves everything else a text', () => {
    for (const line of ['', 'plain', '[1]', '"text"', '1', 'null', '{', '{"a":1} b', ' {"a":1}', '{"a":1}{"b":2}'])
      assert.deepEqual(read(line), { ...head, line })
  })

  it('adds to any object, however it is written', () => {
    assert.deepEqual(read('{}'), head)
    assert.deepEqual(read('{ }\r'), head)
    assert.deepEqual(read('{"a":1}\r'), { ...head, a: 1 })
    const keys = fc.oneof(fc.string(), fc.constantFrom('time', 'pid', '__proto__', 'constructor'))
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), fc.constantFrom('', ' ', '\r', '\t '), (object, end) => {
        const found = read(`${JSON.stringify(object)}${end}`)
        for (const [key, value] of Object.entries(JSON.parse(JSON.stringify(object)))) {
          const kept = key === 'source' || key === 'stream' ? `app_${key}` : key
          assert.deepEqual(found[kept], value)
        }
        assert.equal(found.source, 'app.1')
      }),
    )
  })
})
