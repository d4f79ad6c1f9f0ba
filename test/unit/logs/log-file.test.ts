import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import { openLogFile } from '../../../supervisor/logs/adapters/log-file.ts'
import { renameLarge, tidyRenamed } from '../../../supervisor/logs/adapters/renamed-files.ts'
import { careForLogFiles } from '../../../supervisor/logs/log-files.ts'
import { renamedAs } from '../../../supervisor/logs/rotation-names.ts'

function open(t: TestContext, { maxBytes = 1 << 20, before = (_directory: string) => {} } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'monohull-log-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  before(directory)
  const events: string[] = []
  let dropped = 0
  const note = (message: string) => void events.push(message)
  const file = openLogFile({
    clock: systemClock,
    log: { error: note, info: note },
    directory,
    kind: 'monohull',
    maxBytes,
    onDropped: lines => {
      dropped += lines
    },
  })
  const read = (name = 'monohull.log') => readFileSync(join(directory, name), 'utf8')
  return { directory, file, events, dropped: () => dropped, read, names: () => readdirSync(directory).sort() }
}

async function settled(test: () => boolean) {
  for (const deadline = Date.now() + 5000; !test() && Date.now() < deadline; ) await new Promise(setImmediate)
  assert.ok(test())
}

describe('logs/adapters/log-file', () => {
  it('appends whole lines, and continues a file', async t => {
    const { file, read } = open(t, { before: folder => writeFileSync(join(folder, 'monohull.log'), 'old\n') })
    const reused = Buffer.from('one\n')
    file.write(reused)
    reused.fill(0)
    file.write('zwö\n')
    assert.equal(await file.end(), true)
    assert.equal(read(), 'old\none\nzwö\n')
  })

  it('is renamed when it is large, without losing a line', async t => {
    const { file, read, names } = open(t, { maxBytes: 1000 })
    for (let number = 0; number < 100; number++) {
      file.write(`${number} ${'x'.repeat(90)}\n`)
      const before = names().length
      if (number % 20 === 19) await settled(() => names().length > before)
    }
    await file.end()
    assert.ok(names().length > 2, names().join())
    const numbers = names()
      .flatMap(name => read(name).split('\n').slice(0, -1))
      .map(line => Number.parseInt(line, 10))
    assert.deepEqual(
      numbers.sort((one, other) => one - other),
      Array.from({ length: 100 }, (_, number) => number),
    )
  })

  it('is made again when it is large and somebody has removed it, or its directory', async t => {
    const { directory, file, events, read } = open(t, { maxBytes: 50 })
    for (const removed of [join(directory, 'monohull.log'), directory]) {
      rmSync(removed, { recursive: true })
      file.write(`${'x'.repeat(60)}\n`)
      await settled(() => existsSync(join(directory, 'monohull.log')))
    }
    file.write('after\n')
    await file.end()
    assert.deepEqual([read(), events], ['after\n', []])
  })

  it('survives a full disk: says so once, counts what is lost, and goes on', async t => {
    const full = (folder: string) => symlinkSync('/dev/full', join(folder, 'monohull.log'))
    const { directory, file, events, dropped, read } = open(t, { before: full })
    file.write('one\ntwo\n')
    await settled(() => dropped() === 2)
    file.write('three\n')
    assert.equal(dropped(), 3)
    assert.deepEqual(events, ['cannot write a log file, its lines are lost meanwhile'])
    rmSync(join(directory, 'monohull.log'))
    file.reopen()
    await settled(() => {
      file.write('again\n')
      return events.length > 1
    })
    await file.end()
    assert.deepEqual(events.slice(1), ['log file is written again'])
    assert.match(read(), /^(again\n)+$/)
  })

  it('is opened again by its name', async t => {
    const { directory, file, read } = open(t)
    file.write('before\n')
    await settled(() => read() === 'before\n')
    renameSync(join(directory, 'monohull.log'), join(directory, 'moved'))
    file.reopen()
    file.write('after\n')
    await file.end()
    assert.deepEqual([read('moved'), read()], ['before\n', 'after\n'])
  })
})

describe('logs/adapters/renamed-files', () => {
  it('are compressed, and removed when they are too many or too old', async t => {
    const { directory, file, names } = open(t)
    await file.end()
    const now = Date.parse('2026-11-30T12:00:00Z')
    const age = (hours: number) => now - hours * 3_600_000
    for (const hours of [50, 3, 2, 1]) writeFileSync(join(directory, renamedAs('access', age(hours))), `${hours}\n`)
    writeFileSync(join(directory, renamedAs('access', now)), 'settling\n')
    writeFileSync(join(directory, renamedAs('other-access', age(90))), 'of another program\n')
    await tidyRenamed(directory, ['monohull', 'access'], { keep: 4, maxAgeMs: 9_000_000, now, compress: true })
    assert.deepEqual(names(), [
      'access-20261130T100000000.log.gz',
      'access-20261130T110000000.log.gz',
      'access-20261130T120000000.log',
      'monohull.log',
      'other-access-20261126T180000000.log',
    ])
    const text = gunzipSync(readFileSync(join(directory, 'access-20261130T110000000.log.gz'))).toString()
    assert.equal(text, '1\n')
  })

  it('are those of another program too, once they are large', async t => {
    const { directory, file, names } = open(t)
    await file.end()
    const limit = { maxBytes: 4, now: 0 }
    assert.equal(await renameLarge(directory, 'access', limit), false)
    writeFileSync(join(directory, 'access.log'), '123')
    assert.equal(await renameLarge(directory, 'access', limit), false)
    writeFileSync(join(directory, 'access.log'), '1234')
    assert.equal(await renameLarge(directory, 'access', limit), true)
    assert.deepEqual(names(), ['access-19700101T000000000.log', 'monohull.log'])
  })
})

describe('logs/log-files', () => {
  it('let nginx open access.log again when it was renamed, and report a problem once', async t => {
    const { directory, file, names } = open(t)
    await file.end()
    let tick = () => {}
    let scheduled = 0
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      after(_delay: number, run: () => void) {
        tick = run
        scheduled++
        return () => {}
      },
    }
    const nextTick = async () => {
      const before = scheduled
      tick()
      await settled(() => scheduled > before)
    }
    let reopened = 0
    const errors: string[] = []
    const files = { directory, max_size: 4, keep: 5, compress: false, max_age: undefined }
    const end = careForLogFiles({
      clock,
      log: { error: message => void errors.push(message) },
      files,
      reopenNginx: () => {
        reopened++
      },
    })
    await nextTick()
    assert.equal(reopened, 0)
    writeFileSync(join(directory, 'access.log'), '1234')
    await nextTick()
    assert.deepEqual([reopened, names()], [1, ['access-19700101T000000000.log', 'access.log', 'monohull.log']])
    rmSync(directory, { recursive: true })
    await nextTick()
    await nextTick()
    assert.deepEqual(errors, ['cannot rotate log files'])
    end()
  })
})
