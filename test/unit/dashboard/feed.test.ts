import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFeed, type FeedMessage, type FeedSources, type Position } from '../../../supervisor/dashboard/feed.ts'
import { createHandClock, type HandClock } from '../hand-clock.ts'

const lines = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }))

function setUp(keepsMinutes = false) {
  const hand = createHandClock()
  const seen = { reads: 0, logs: 2, warnings: [] as string[], rests: 0 }
  const sections: Record<string, unknown> = { run: { state: 'ready' }, workers: [] }
  const sources: FeedSources = {
    bounds: [0.1],
    async read() {
      seen.reads++
      if (sections.fails) throw new Error('no answer')
      return { requests: { series: [], active: 1 }, connections: 2, cpuSeconds: 0, memory: 5 }
    },
    sections: async () => sections,
    logs: (after, limit) =>
      lines(seen.logs)
        .filter(({ id }) => id > after)
        .slice(-limit),
    events: () => [],
  }
  const log = { warn: (message: string) => void seen.warnings.push(message) } as never
  const feed = createFeed({
    clock: hand.clock,
    log,
    sources,
    run: 'r1',
    keepsMinutes: () => keepsMinutes,
    onUnwatched: () => seen.rests++,
  })
  const open = (from?: Position) => {
    const messages: FeedMessage[] = []
    const positions: Position[] = []
    const leave = feed.subscribe((text, position) => {
      messages.push(JSON.parse(text))
      positions.push(position)
    }, from)
    return { messages, positions, leave }
  }
  return { clock: hand, feed, seen, sections, open }
}

async function pass(clock: HandClock, seconds: number): Promise<void> {
  await settle()
  await clock.advance(seconds * 1000)
  await settle()
}
const settle = () => new Promise(resolve => setImmediate(resolve))

describe('dashboard/feed', () => {
  it('sends everything first, then points, changed sections and new lines', async () => {
    const { clock, seen, sections, open } = setUp()
    const page = open()
    await settle()
    const [first] = page.messages
    assert.deepEqual(first?.sections, sections)
    assert.deepEqual([first?.isFresh, first?.logs.length, first?.seconds[0]], [true, 2, []])
    sections.run = { state: 'stopping' }
    seen.logs = 3
    await pass(clock, 1)
    const next = page.messages[1]
    assert.deepEqual(next?.sections, { run: { state: 'stopping' } })
    assert.deepEqual([next?.isFresh, next?.logs, next?.seconds[0]?.length], [false, [{ id: 3 }], 1])
    await pass(clock, 1)
    assert.deepEqual(page.messages[2]?.sections, {})
  })

  it('takes one sample for all pages, and none when the last one has been gone for a while', async () => {
    const { clock, seen, open } = setUp()
    const pages = Array.from({ length: 20 }, () => open())
    await pass(clock, 5)
    assert.ok(seen.reads <= 6, `${seen.reads} samples`)
    assert.deepEqual(
      pages.map(({ messages }) => messages.length),
      pages.map(() => pages[0]?.messages.length),
    )
    for (const { leave } of pages) leave()
    await pass(clock, 40)
    const before = seen.reads
    await pass(clock, 100)
    assert.deepEqual([seen.reads, seen.rests], [before, 1])
    open()
    await settle()
    assert.equal(seen.reads, before + 1)
  })

  it('sends what a page has missed, or everything if that is of another run', async () => {
    const { clock, open, seen } = setUp()
    const page = open()
    await pass(clock, 3)
    page.leave()
    const from = page.positions.at(-1)
    seen.logs = 4
    await pass(clock, 5)
    const again = open(from)
    await pass(clock, 1)
    const [first] = again.messages
    assert.deepEqual([first?.isFresh, first?.logs.map(({ id }) => id), first?.seconds[0]?.length], [false, [3, 4], 5])
    const other = open({ ...(from as Position), run: 'r0' })
    await settle()
    assert.deepEqual([other.messages[0]?.isFresh, other.messages[0]?.logs.length], [true, 4])
  })

  it('keeps a point of each minute while nobody looks, if it should', async () => {
    const { clock, seen, open } = setUp(true)
    await pass(clock, 301)
    assert.ok(seen.reads >= 4 && seen.reads <= 6, `${seen.reads} samples`)
    const page = open()
    await pass(clock, 1)
    const minutes = page.messages[0]?.minutes[0]?.length ?? 0
    assert.ok(minutes >= 3, JSON.stringify(page.messages[0]?.minutes[0]))
    await pass(clock, 120)
    const further = page.messages.slice(1).reduce((sum, message) => sum + (message.minutes[0]?.length ?? 0), 0)
    assert.ok(further >= 1 && further <= 3, `${further} points in two minutes`)
  })

  it('goes on after a failure, which it logs once', async () => {
    const { clock, seen, sections, open, feed } = setUp()
    const page = open()
    await settle()
    sections.fails = true
    await pass(clock, 3)
    assert.deepEqual(seen.warnings, ['cannot take a sample for the status page'])
    delete sections.fails
    const before = page.messages.length
    await pass(clock, 2)
    assert.ok(page.messages.length > before)
    feed.close()
    const reads = seen.reads
    await pass(clock, 5)
    assert.equal(seen.reads, reads)
  })
})
