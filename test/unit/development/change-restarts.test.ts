import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createChangeRestarts } from '../../../supervisor/development/change-restarts.ts'
import type { Command } from '../../../supervisor/run/command.ts'
import { createHandClock } from '../hand-clock.ts'

const restart = [{ type: 'restart', target: 'app' }] as const

/** Change restarts over a disk in memory. `boot` is how long a restart takes, and `atBoot` what the app does meanwhile. */
function createDevelopment(boot: { ms: number; ok?: boolean; atBoot?: () => void } = { ms: 200 }) {
  const { clock, advance } = createHandClock()
  const disk = new Map<string, string>()
  const served: Map<string, string>[] = []
  const commands: Command[] = []
  const lines: string[] = []
  let kills = 0
  const write = (level: string) => (message: string, fields?: object) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
  }
  const restarts = createChangeRestarts({
    clock,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    async command(command: Command) {
      commands.push(command)
      served.push(new Map(disk))
      clock.after(boot.ms / 2, () => boot.atBoot?.())
      await new Promise<void>(resolve => clock.after(boot.ms, resolve))
      return boot.ok === false
        ? { ok: false, message: 'restart failed', reason: 'it died' }
        : { ok: true, message: 'workers replaced' }
    },
    killBooting: () => kills++,
    isServing: () => boot.ok !== false,
    fingerprint: file => disk.get(file) ?? '',
  })
  function save(file: string, content: string): void {
    disk.set(file, content)
    restarts.changed({ path: file, file, commands: restart })
  }
  return { advance, disk, served, commands, lines, save, restarts, boot, kills: () => kills }
}

describe('development/change-restarts', () => {
  for (const everyMs of [50, 150, 300, 800, 1000, 1200, 1500, 2500])
    for (const saves of [1, 2, 6, 7, 12])
      it(`serves the last of ${saves} saves, ${everyMs} ms apart`, async () => {
        const { advance, served, save } = createDevelopment()
        for (let count = 1; count <= saves; count++) {
          save('lib.js', `v${count}`)
          await advance(everyMs)
        }
        await advance(8000)
        assert.equal(served.at(-1)?.get('lib.js'), `v${saves}`)
      })

  it('restarts the programs that the changes affect, and no other', async () => {
    const { advance, commands, restarts, disk } = createDevelopment()
    for (const target of ['web', 'queue']) {
      disk.set(`${target}.js`, 'v2')
      const change = { path: `${target}.js`, file: `${target}.js` }
      restarts.changed({ ...change, commands: [{ type: 'restart', target }] })
    }
    await advance(2000)
    assert.deepEqual(commands, [
      { type: 'restart', target: 'web' },
      { type: 'restart', target: 'queue' },
    ])
  })

  it('serves the last save of a version that takes long to boot', async () => {
    const { advance, served, save } = createDevelopment({ ms: 3000 })
    for (let count = 1; count <= 20; count++) {
      save('lib.js', `v${count}`)
      await advance(700)
    }
    await advance(20_000)
    assert.equal(served.at(-1)?.get('lib.js'), 'v20')
  })

  it('serves the last of many saves of many files during boots that hang, and says so in one line each', async () => {
    const { advance, served, save, lines } = createDevelopment({ ms: 30_000, ok: false })
    for (let round = 1; round <= 4; round++) {
      for (let file = 1; file <= 500; file++) save(`src/f${file}.ts`, `v${round}`)
      await advance(4000)
    }
    await advance(120_000)
    assert.deepEqual([...new Set(served.at(-1)?.values())], ['v4'])
    assert.equal(served.at(-1)?.size, 500)
    assert.deepEqual(
      lines.filter(line => line.startsWith('warn')),
      [],
    )
    assert.ok(
      lines.every(line => !line.includes('changed:') || line.includes('src/f1.ts and 499 more')),
      lines.join('\n'),
    )
  })

  it('restarts less and less often for a file that the app writes at each start, and names it once', async () => {
    const development = createDevelopment()
    const { advance, served, save, lines, boot } = development
    let starts = 0
    boot.atBoot = () => save('data.json', `${++starts}`)
    save('server.js', 'v1')
    await advance(5000)
    const early = served.length
    await advance(600_000)
    assert.ok(early >= 5 && served.length < early + 10, `${early}, then ${served.length}`)
    assert.equal(lines.filter(line => /^warn .*data\.json/.test(line)).length, 1)
    save('server.js', 'v2')
    await advance(400)
    assert.equal(served.at(-1)?.get('server.js'), 'v2', 'without waiting for the other file')
    assert.match(lines.findLast(line => line.includes('changed:')) ?? '', /changed: server\.js, restarting/)
  })

  it('restarts for a change beside a file that the app writes all the time', async () => {
    const { advance, served, save } = createDevelopment()
    for (let count = 0; count < 60; count++) {
      save('state.json', `${count}`)
      if (count === 20) save('lib.js', 'v2')
      await advance(50)
    }
    await advance(1000)
    assert.equal(served.at(-1)?.get('lib.js'), 'v2')
  })

  it('restarts nothing for the same content, unless the last restart failed', async () => {
    const { advance, served, save, restarts, boot } = createDevelopment()
    restarts.loaded('lib.js', 'v1')
    save('lib.js', 'v1')
    await advance(5000)
    assert.equal(served.length, 0)
    save('lib.js', 'v2')
    await advance(5000)
    save('lib.js', 'v2')
    await advance(5000)
    assert.equal(served.length, 1)
    boot.ok = false
    save('lib.js', 'v3')
    await advance(5000)
    save('lib.js', 'v3')
    await advance(5000)
    assert.equal(served.length, 3)
  })

  it('does not take a change for loaded content', async () => {
    const { advance, served, save, restarts } = createDevelopment()
    save('lib.js', 'v2')
    restarts.loaded('lib.js', 'v2')
    await advance(1000)
    assert.equal(served.length, 1)
  })

  it('ends a boot that a further change makes useless', async () => {
    const { advance, save, kills } = createDevelopment({ ms: 10_000 })
    save('lib.js', 'v1')
    await advance(1000)
    save('lib.js', 'v2')
    await advance(2500)
    assert.equal(kills(), 1)
  })
})
