import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type LineOrigin, levelOf } from '../../../supervisor/logs/line-level.ts'
import { createLogRing, type LineSource, type LogLine } from '../../../supervisor/logs/log-ring.ts'

const one: LineSource = { source: 'app.1', origin: 'stdout', pid: 41 }
const two: LineSource = { source: 'app.2', origin: 'stderr', pid: 42 }

function ringAt(time = '2026-11-30T10:00:00.000Z') {
  const clock = { now: Date.parse(time) }
  return { clock, ring: createLogRing({ now: () => clock.now }) }
}

const textsOf = (lines: readonly LogLine[]) => lines.map(({ text }) => text)

describe('logs/log-ring', () => {
  it('splits blocks into lines, with their source, time, level and process', () => {
    const { ring } = ringAt()
    ring.append(one, 'first\n\nthird\r')
    ring.append(two, Buffer.from([0x62, 0xff]))
    const time = '2026-11-30T10:00:00.000Z'
    const lines = ring.read()
    assert.deepEqual(
      lines.map(({ id: _, ...line }) => line),
      [
        { time, source: 'app.1', level: 'info', text: 'first', pid: 41 },
        { time, source: 'app.1', level: 'info', text: '', pid: 41 },
        { time, source: 'app.1', level: 'info', text: 'third', pid: 41 },
        { time, source: 'app.2', level: 'error', text: 'b\\xFF', pid: 42 },
      ],
    )
    const ids = lines.map(({ id }) => id)
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    )
  })

  it('selects by source, process, level, time, text and position, the last ones first', () => {
    const { ring, clock } = ringAt()
    ring.append(one, 'a\nERROR: b')
    clock.now += 1000
    ring.append(two, 'INFO: C')
    ring.append({ source: 'application.1', origin: 'info' }, 'd')
    const texts = (...given: Parameters<typeof ring.read>) => textsOf(ring.read(...given))
    assert.deepEqual(texts({ sources: ['app.1'] }), ['a', 'ERROR: b'])
    assert.deepEqual(texts({ sources: ['app'] }), ['a', 'ERROR: b', 'INFO: C'])
    assert.deepEqual(texts({ sources: ['app.2', 'application'] }), ['INFO: C', 'd'])
    assert.deepEqual(texts({ pid: 42 }), ['INFO: C'])
    assert.deepEqual(texts({ level: 'error' }), ['ERROR: b'])
    assert.deepEqual(texts({ since: clock.now }), ['INFO: C', 'd'])
    assert.deepEqual(texts({ grep: 'c' }), ['INFO: C'])
    assert.deepEqual(texts({}, 2), ['INFO: C', 'd'])
    assert.deepEqual(texts({}, 0), [])
    const [, b] = ring.read()
    assert.deepEqual(texts({ after: b?.id }), ['INFO: C', 'd'])
  })

  it('keeps the last megabyte, whole lines, in order', () => {
    const { ring } = ringAt()
    for (let block = 0; block < 400; block++) {
      const lines = Array.from({ length: 700 }, (_, line) => `${block * 700 + line} ${'x'.repeat(line % 90)}`)
      ring.append(block % 2 === 0 ? one : two, lines.join('\n'))
    }
    const lines = ring.read()
    const numbers = textsOf(lines).map(text => Number(/^(\d+) x*$/.exec(text)?.[1]))
    const bytes = textsOf(lines).join('\n').length
    assert.ok(bytes > 900_000 && bytes < 1 << 20, String(bytes))
    assert.equal(numbers.at(-1), 400 * 700 - 1)
    for (const [index, number] of numbers.entries()) assert.equal(number, (numbers[0] ?? 0) + index)
    for (const [index, { id }] of lines.entries()) assert.ok(index === 0 || id > (lines[index - 1]?.id ?? 0))
  })

  it('cuts a line that is longer than a segment, and goes on after it', () => {
    const { ring } = ringAt()
    ring.append(one, 'before')
    ring.append(one, `${'x'.repeat(5 << 20)}\nafter\n${'y'.repeat(70_000)}`)
    ring.append(one, 'end')
    const lengths = textsOf(ring.read()).map(text => (text.length > 10 ? text.length : text))
    assert.deepEqual(lengths, ['before', (1 << 16) - 24, 'after', (1 << 16) - 24, 'end'])
  })

  it('keeps no more than 20,000 lines in one result', () => {
    const { ring } = ringAt()
    ring.append(one, '\n'.repeat(50_000))
    assert.equal(ring.read().length, 20_000)
    assert.equal(ring.read({}, 1e9).length, 20_000)
  })

  it('passes new lines that match to each follower until it ends', () => {
    const { ring } = ringAt()
    ring.append(one, 'old')
    const all: string[] = []
    const errors: string[] = []
    const end = ring.follow({}, ({ text }) => all.push(text))
    ring.follow({ level: 'error' }, ({ text }) => errors.push(text))
    ring.append(one, 'a\nerror: b')
    end()
    ring.append(two, 'c')
    assert.deepEqual(all, ['a', 'error: b'])
    assert.deepEqual(errors, ['error: b', 'c'])
  })
})

describe('logs/line-level', () => {
  const cases: [LineOrigin, string, string][] = [
    ['stdout', 'listening', 'info'],
    ['stderr', 'Error: boom', 'error'],
    ['stderr', 'INFO:     Started server process [1]', 'info'],
    ['stderr', '[2026-11-30 21:00:00 +0000] [12] [INFO] Booting worker', 'info'],
    ['stderr', '2026-11-30 21:00:00,123 WARNING slow', 'warn'],
    ['stdout', '{"level":50,"time":1,"msg":"x"}', 'error'],
    ['stdout', '{"severity": "WARNING"}', 'warn'],
    ['stdout', 'time=2026 level=debug msg=x', 'debug'],
    ['stdout', '\u001b[31mERROR\u001b[39m: red', 'error'],
    ['stdout', 'information is power', 'info'],
    ['stdout', 'errors: 0', 'info'],
    ['stdout', '{"level":"unheard-of"}', 'info'],
    ['nginx', '2026/11/30 21:00:00 [warn] 42#42: x', 'warn'],
    ['nginx', '2026/11/30 21:00:00 [notice] 42#42: x', 'info'],
    ['nginx', 'nginx: [emerg] x', 'error'],
    ['warn', 'ERROR: monohull knows its own level', 'warn'],
  ]
  for (const [origin, text, level] of cases)
    it(`${origin}: ${text} is ${level}`, () => assert.equal(levelOf(origin, text), level))
})
