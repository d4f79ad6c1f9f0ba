import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../../../supervisor/base/log.ts'
import { type ProcessSight, watchFrozenProcesses } from '../../../supervisor/nginx/frozen-processes.ts'
import { createHandClock } from '../hand-clock.ts'

function watch({ hasTimer = false } = {}) {
  const { clock, advance } = createHandClock()
  const lines: string[] = []
  const note = (message: string) => void lines.push(message)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  let sights: ProcessSight[] = []
  const watched = watchFrozenProcesses({ clock, log, look: () => sights, maySleep: () => false, hasTimer })
  return {
    lines,
    watched,
    async see(...states: [state: string, waits: number][]) {
      sights = states.map(([state, waits], index) => ({ pid: index + 1, state, waits }))
      await advance(10_000)
    },
  }
}
const idle: [string, number] = ['S', 1]

describe('frozen processes of nginx', () => {
  it('are those that a signal stopped: at the second look, and not once they go on', async () => {
    const { watched, lines, see } = watch()
    await see(idle, ['T', 5])
    assert.deepEqual(watched.warnings(), [])
    await see(idle, ['T', 5])
    assert.deepEqual(watched.warnings(), ['the nginx worker 2 is stopped: its connections hang'])
    await see(idle, ['T', 5])
    await see(idle, ['S', 6])
    assert.deepEqual(watched.warnings(), [])
    assert.deepEqual(lines, [
      'an nginx process is frozen: its connections hang',
      'an nginx process is no longer frozen',
    ])
  })

  it('may be the master', async () => {
    const { watched, see } = watch({ hasTimer: true })
    for (let look = 0; look < 9; look++) await see(idle)
    assert.deepEqual(watched.warnings(), [])
    for (let look = 0; look < 2; look++) await see(['t', 1])
    assert.match(watched.warnings()[0] ?? '', /^the nginx master 1 is stopped/)
  })

  it('are those that wait for nothing but run, or are blocked in the kernel', async () => {
    const { watched, see } = watch()
    for (let look = 0; look < 2; look++) await see(idle, ['R', 5], ['D', 5], ['S', 5], ['R', look])
    assert.deepEqual(
      watched.warnings().map(text => /worker (\d)/.exec(text)?.[1]),
      ['2', '3'],
    )
  })

  it('are all that wait for nothing if each has a timer', async () => {
    const { watched, see } = watch({ hasTimer: true })
    for (let look = 0; look < 2; look++) await see(idle, ['S', 5], ['S', look])
    assert.deepEqual(
      watched.warnings().map(text => /worker (\d)/.exec(text)?.[1]),
      ['2'],
    )
  })
})
