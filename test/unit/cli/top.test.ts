import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPaint } from '../../../supervisor/cli/paint.ts'
import { fit, renderFrame } from '../../../supervisor/cli/top/frame.ts'
import { formatAge, type Row, rowsOf, sortRows } from '../../../supervisor/cli/top/rows.ts'
import { keysIn, press, type View } from '../../../supervisor/cli/top/view.ts'
import type { Status } from '../../../supervisor/run/status.ts'

const counts = { restarts: 0, crashes: 0, replacements: 0 }

function statusOf(total: number, pid = 7): Status {
  return {
    ...{ pid: 1, state: 'ready', uptimeSeconds: 75, http: [], https: [], scaled: [], upstreams: [] },
    workers: [
      {
        ...{ ...counts, name: 'app.1', slot: 1, state: 'serving', pid, uptimeSeconds: 70, isInRotation: true },
        usage: { rss: 50 * 2 ** 20, cpuSeconds: 9, cpu: 0.254, loopDelay: 0.0124 },
        requests: { total, inFlight: 2, busySeconds: 1, oldest: { method: 'GET', path: '/slow', ageSeconds: 12 } },
      },
    ],
    processes: [{ ...counts, name: 'queue.1', state: 'running', pid: 8, uptimeSeconds: 5 }],
  }
}

function row(change: Partial<Row>): Row {
  return {
    ...{ name: 'app.1', state: 'serving', pid: 1, uptimeSeconds: 1, cpu: undefined, memory: undefined },
    ...{ requestsPerSecond: undefined, inFlight: undefined, oldest: undefined, loopDelay: undefined },
    ...{ crashes: 0, replacements: 0 },
    ...change,
  }
}

const plain = createPaint({ isTTY: false, hasColors: () => false }, {})
const table: View = { mode: 'table', sort: 'name', selected: undefined }

function frame(rows: Row[], size: { columns: number; rows: number }, view: Partial<View> = {}): string[] {
  const content = { status: statusOf(0), rows, view: { ...table, ...view }, log: [], message: undefined }
  return renderFrame(content, size, plain)
}

describe('rows of monohull top', () => {
  it('have rates since the sample before, of the same process', () => {
    const earlier = { status: statusOf(100), at: 1000 }
    const [app, queue] = rowsOf({ status: statusOf(130), at: 3000 }, earlier)
    assert.deepEqual([app?.requestsPerSecond, app?.inFlight, app?.oldest], [15, 2, '12s GET /slow'])
    assert.deepEqual([queue?.requestsPerSecond, queue?.cpu], [undefined, undefined])
    assert.equal(rowsOf({ status: statusOf(130), at: 3000 }, undefined)[0]?.requestsPerSecond, undefined)
    assert.equal(rowsOf({ status: statusOf(3, 9), at: 3000 }, earlier)[0]?.requestsPerSecond, undefined)
    assert.equal(rowsOf({ status: statusOf(1), at: 3000 }, earlier)[0]?.requestsPerSecond, 0)
  })

  it('say what a program waits for, and that its health checks fail', () => {
    const status = statusOf(0)
    const [app] = status.workers
    const [queue] = status.processes
    assert.ok(app && queue)
    status.workers = [{ ...app, state: 'pending', isInRotation: false, waitsFor: ['redis', 'queue'] }]
    const health = { failures: 1, limit: 3, problem: undefined }
    status.processes = [
      { ...queue, health },
      { ...queue, name: 'redis.1', state: 'booting' },
      { ...queue, name: 'seed.1', state: 'failed' },
    ]
    const states = rowsOf({ status, at: 0 }, undefined).map(({ state }) => state)
    assert.deepEqual(states, ['waits for redis, queue', 'running, unhealthy', 'booting', 'failed'])
  })

  it('are sorted by name with its number, or by the largest value', () => {
    const rows = [row({ name: 'app.10', cpu: 0.5 }), row({ name: 'app.2' }), row({ name: 'app.1', cpu: 0.1 })]
    const names = (sort: Parameters<typeof sortRows>[1]) => sortRows(rows, sort).map(({ name }) => name)
    assert.deepEqual(names('name'), ['app.1', 'app.2', 'app.10'])
    assert.deepEqual(names('cpu'), ['app.10', 'app.1', 'app.2'])
  })

  it('show an age in its largest unit', () => {
    assert.deepEqual([0, 99, 100, 5999, 6000, 172_799, 172_800].map(formatAge), [
      ...['0s', '99s', '1m', '99m', '1h', '47h', '2d'],
    ])
  })
})

describe('keys of monohull top', () => {
  it('are found in what the terminal sends at once', () => {
    assert.deepEqual(
      keysIn('j\u001b[A\u001b\u001b[1;5Bq\u0003é'),
      ['j', 'up', 'escape', '\u001b[1;5B', 'q', 'interrupt', 'é'].map(key => (key === 'j' ? 'down' : key)),
    )
  })

  it('move within the rows, and quit from anywhere', () => {
    const rows = [{ name: 'a' }, { name: 'b' }]
    const move = (from: string | undefined, key: string) => press({ ...table, selected: from }, key, rows).view.selected
    assert.deepEqual(
      [move(undefined, 'up'), move(undefined, 'down'), move('b', 'down'), move('gone', 'last')],
      ['a', 'b', 'b', 'b'],
    )
    for (const mode of ['table', 'confirm', 'log', 'help'] as const)
      assert.deepEqual(press({ ...table, mode }, 'interrupt', rows).effect, { type: 'quit' })
    assert.deepEqual(press(table, 'q', rows).effect, { type: 'quit' })
    assert.deepEqual(press({ ...table, mode: 'log' }, 'q', rows), { view: table })
  })

  it('restart only what is confirmed, and nothing where there is nothing', () => {
    const rows = [{ name: 'a' }]
    const asked = press(table, 'r', rows)
    assert.deepEqual([asked.view.mode, asked.effect], ['confirm', undefined])
    assert.deepEqual(press(asked.view, 'y', rows).effect, { type: 'restart', target: 'a' })
    assert.equal(press(asked.view, 'enter', rows).effect, undefined)
    for (const key of ['r', 'l', 'up', 'down']) assert.deepEqual(press(table, key, []).view.mode, 'table')
  })
})

describe('a frame of monohull top', () => {
  it('leaves out the least important columns where the terminal is narrow', () => {
    const rows = rowsOf({ status: statusOf(130), at: 2000 }, { status: statusOf(100), at: 1000 })
    const wide = frame(rows, { columns: 120, rows: 10 })
    assert.equal(wide[1], ' NAME     STATE    PID   UP  CPU%  MEM  REQ/S  OPEN  LOOP  CRASH  REPL  OLDEST')
    assert.equal(wide[2], '>app.1    serving    7  70s    25  50M     30     2  12ms      0     0  12s GET /slow')
    const narrow = frame(rows, { columns: 40, rows: 10 })
    assert.equal(narrow[1], ' NAME     STATE    CPU%  MEM  REQ/S')
  })

  it('fits any size, with the selected row in it', () => {
    const rows = Array.from({ length: 50 }, (_, index) => row({ name: `app.${index + 1}`, oldest: 'x'.repeat(300) }))
    for (const columns of [1, 2, 10, 33, 80, 500])
      for (const height of [1, 2, 3, 5, 24, 100]) {
        const lines = frame(rows, { columns, rows: height }, { selected: 'app.40' })
        assert.ok(lines.length <= height && lines.every(line => line.length <= columns), `${columns}x${height}`)
        if (height >= 5 && columns >= 10)
          assert.ok(
            lines.some(line => line.startsWith('>app.40')),
            `${columns}x${height}`,
          )
        for (const mode of ['help', 'log', 'confirm'] as const)
          assert.ok(frame(rows, { columns, rows: height }, { mode }).every(line => line.length <= columns))
      }
  })

  it('passes no control character on to the terminal', () => {
    assert.equal(fit('a\u001b[2Jb\u0007c\td', 80), 'ab c d')
    assert.equal(fit('abcdef', 4), 'abc…')
    assert.equal(fit('abc', 0), '')
  })
})
