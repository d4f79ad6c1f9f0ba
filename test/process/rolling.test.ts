import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { groupMembers } from '../../supervisor/processes/adapters/procfs.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const good = `require(${JSON.stringify(fixture('hello.cjs'))})`

/** `monohull restart`, by the command line. */
async function restart(t: TestContext, monohull: Monohull) {
  const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
  const told = startMonohull(t, { folder: temporaryFolder(t), args: ['restart'], env })
  return { code: await told.exited, output: told.output() }
}

async function startGood(t: TestContext, env: Record<string, string> = {}) {
  const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files: { 'app.cjs': good }, env })
  await monohull.serving()
  await monohull.seen(/worker ready worker=app\.1/)
  await monohull.seen(/worker ready worker=app\.2/)
  return monohull
}

const write = ({ folder }: Monohull, program: string) => writeFileSync(join(folder, 'app.cjs'), program)
const deaths = (monohull: Monohull) => monohull.output().match(/worker died/g)?.length

describe('a rolling restart keeps the old workers', () => {
  const bad: [string, string, RegExp][] = [
    [
      'has a syntax error',
      'this is no JavaScript',
      /app\.1: the new worker ended with exit code 1 before it was ready[\s\S]*SyntaxError/,
    ],
    [
      'exits at boot',
      `console.log('no database'); process.exit(3)`,
      /exit code 3 before it was ready[\s\S]*no database/,
    ],
    [
      'is never ready',
      `console.log('still busy'); setInterval(() => {}, 1000)`,
      /did not listen within boot_timeout 4s[\s\S]*still busy/,
    ],
    [
      'is ready and then crashes',
      `${good}\nsetTimeout(() => { console.log('lost it'); process.exit(4) }, 100)`,
      /the new worker ended with exit code 4 \d+ ms after it was ready[\s\S]*lost it/,
    ],
  ]
  for (const [what, program, told] of bad) {
    // long enough for the first workers of a busy machine
    const bootTimeout = '4s'
    it(`when the new program ${what}`, async t => {
      const monohull = await startGood(t, { MONOHULL_BOOT_TIMEOUT: bootTimeout, MONOHULL_MIN_UPTIME: '5s' })
      const before = [monohull.worker(1), monohull.worker(2)]
      write(monohull, program)
      const { code, output } = await restart(t, monohull)
      assert.equal(code, 1)
      assert.match(output, /rolling restart abandoned, the old workers keep serving/)
      assert.match(output, told)
      assert.deepEqual([monohull.worker(1), monohull.worker(2)], before)
      await monohull.seen(/worker died/)
      assert.equal(deaths(monohull), 1)
      assert.equal((await monohull.request({ method: 'POST' })).status, 200)
    })
  }
})

describe('a rolling restart', () => {
  it('keeps the first old worker during the trial of the first new one, and the others until theirs is ready', async t => {
    const monohull = await startGood(t, { MONOHULL_MIN_UPTIME: '2s' })
    const before = [monohull.worker(1), monohull.worker(2)]
    const { code, output } = await restart(t, monohull)
    assert.equal(code, 0, output)
    const lines = monohull.output().split('\n')
    const at = (pattern: RegExp) => {
      const line = lines.findLast(candidate => pattern.test(candidate)) ?? ''
      return Date.parse(/\S+/.exec(line)?.[0] ?? '')
    }
    await until('the old workers to be gone', () => before.every(pid => groupMembers(pid).length === 0))
    const ready = at(/worker ready worker=app\.1/)
    assert.ok(at(/worker ready worker=app\.2/) - ready >= 490, monohull.output())
  })

  it('replaces `reload.surge` workers at the same time', async t => {
    const env = { MONOHULL_MIN_UPTIME: '0s', MONOHULL_RELOAD_SURGE: '3', MONOHULL_WORKERS: '3' }
    const monohull = await startGood(t, env)
    // none of them is ready before all have begun
    write(
      monohull,
      `const fs = require('node:fs'); fs.writeFileSync('begun.' + process.env.MONOHULL_SLOT, '')
       const timer = setInterval(() => {
         if (![1, 2, 3].every(slot => fs.existsSync('begun.' + slot))) return
         clearInterval(timer)
         ${good}
       }, 10)`,
    )
    const { code, output } = await restart(t, monohull)
    assert.equal(code, 0, output)
  })

  it('has two processes in a slot at most, however long the old one drains and soon the next restart comes', async t => {
    const env = { MONOHULL_GRACEFUL_TIMEOUT: '6s', MONOHULL_MIN_UPTIME: '10ms' }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('stubborn.cjs')], env })
    await monohull.serving()
    const present = () => monohull.instance().children.filter(({ name }) => name === 'app.1' || name === 'app.2')
    assert.equal((await restart(t, monohull)).code, 0)
    assert.equal(present().length, 4)
    let isDone = false
    const second = restart(t, monohull).finally(() => {
      isDone = true
    })
    await until('the next restart', () => {
      for (const slot of ['app.1', 'app.2']) assert.ok(present().filter(({ name }) => name === slot).length <= 2)
      return isDone
    })
    assert.equal((await second).code, 0)
  })

  it('goes back when a later worker dies right after it was ready, while the roll goes on', async t => {
    const files = {
      'app.cjs': good,
      'monohull.yaml': 'app: {command: [node, app.cjs], workers: 4, min_uptime: 3s}',
    }
    const monohull = startMonohull(t, { files, env: { MONOHULL_WORKERS: '4' } })
    await monohull.serving()
    for (const slot of [1, 2, 3, 4]) await monohull.seen(new RegExp(`worker ready worker=app\\.${slot}`))
    const last = monohull.worker(4)
    writeFileSync(
      join(monohull.folder, 'new.cjs'),
      `if (process.env.MONOHULL_SLOT === '2') setTimeout(() => process.exit(6), 300)
       if (process.env.MONOHULL_SLOT === '3') setTimeout(() => { ${good} }, 1500)
       else ${good}`,
    )
    writeFileSync(join(monohull.folder, 'monohull.yaml'), files['monohull.yaml'].replace('app.cjs', 'new.cjs'))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned[\s\S]*app\.2: the new worker died within min_uptime 3s after it was ready/)
    assert.equal(monohull.worker(4), last)
    const answers = new Set<string>()
    await until('all to answer again', async () => {
      answers.add(JSON.parse((await monohull.request()).body).worker)
      return answers.size === 4
    })
    const { readFileSync } = await import('node:fs')
    for (const slot of [1, 2, 3, 4]) {
      const command = readFileSync(`/proc/${monohull.worker(slot)}/cmdline`, 'utf8')
      assert.match(command, /\0app\.cjs/)
    }
  })
})
