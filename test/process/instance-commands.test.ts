import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import type { LogLine } from '../../supervisor/logs/log-ring.ts'
import type { DeathRecord } from '../../supervisor/run/deaths.ts'
import type { RunEvent } from '../../supervisor/run/events.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { launcher } from './built.ts'
import { defer, fixture, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

function cli({ folder }: Pick<Monohull, 'folder'>, ...words: string[]): Promise<Ended> {
  const options = { env: isolatedEnv(folder), cwd: folder, timeout: 20_000 }
  return new Promise(resolve => {
    execFile(process.execPath, [launcher, ...words], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

/** Lines of a command that does not end by itself. */
function follow(t: TestContext, { folder }: Monohull, ...words: string[]): AsyncIterator<string> {
  const child = spawn(process.execPath, [launcher, ...words], { env: isolatedEnv(folder), cwd: folder })
  defer(t, () => child.kill('SIGKILL'))
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

const parsed = <Item>(text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Item)

describe('the commands for a running instance', () => {
  it('let nothing that a program printed control the terminal: clients choose parts of it', async t => {
    const files = {
      'monohull.yaml': `https: off
app: { command: node app.cjs, workers: 1 }
jobs: { wipe: { schedule: '@yearly', command: [sh, -c, 'printf "\\033[2Jwiped\\n"; exit 3'] } }
`,
      'app.cjs': `require('node:http').createServer(request => {
  console.log('Error: ' + decodeURIComponent(request.url))
  process.exit(4)
}).listen(3000)`,
    }
    const monohull = startMonohull(t, { files })
    await monohull.serving()
    await monohull.request({ path: '/%1b[2J%1b]0;title%07%0dforged', method: 'POST' })
    await monohull.seen(/worker died worker=app\.1/)
    const shown = await Promise.all(
      ['jobs run wipe --wait', 'deaths', 'deaths 1', 'status', 'logs', 'events'].map(command =>
        cli(monohull, ...command.split(' ')),
      ),
    )
    const history = await cli(monohull, 'jobs', 'history')
    for (const { stdout, stderr } of [...shown, history]) {
      assert.match(stdout + stderr, /forged|wiped/)
      assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n\t]/u)
    }
  })

  it('show its log, events and deaths, and follow them', async t => {
    const config = `https: off\napp: { command: [node, ${fixture('hello.cjs')}], workers: 1, min_uptime: 0s }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': config }, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const crashed = monohull.worker(1)
    const lines = follow(t, monohull, 'logs', '-f', '-n', '1', '--source', 'app')
    assert.match((await lines.next()).value ?? '', /^\S+Z app\.1 \| listening on \d+$/)
    const events = follow(t, monohull, 'events', '-f', '--kind', 'death', '--json')
    await monohull.request({ path: '/crash', method: 'POST' })
    const death = JSON.parse((await events.next()).value ?? '') as RunEvent
    assert.deepEqual([death.kind, death.subject, death.fields.death], ['death', 'app.1', 1])
    await monohull.workerAfter(1, crashed)
    assert.match((await lines.next()).value ?? '', / app\.1 \| listening on /)

    const [{ stdout: all }, errors, matching, nobody] = await Promise.all([
      cli(monohull, 'logs', '--json'),
      cli(monohull, 'logs', '--level', 'error', '--json'),
      cli(monohull, 'logs', '--grep', 'listening on \\d+$', '-n', '1'),
      cli(monohull, 'logs', '--source', 'api'),
    ])
    const sources = new Set(parsed<LogLine>(all).map(({ source }) => source))
    assert.deepEqual([...sources].sort(), ['app.1', 'monohull', 'nginx'])
    assert.ok(parsed<LogLine>(errors.stdout).some(({ text }) => /^worker died worker=app\.1 /.test(text)))
    assert.match(matching.stdout, /^\S+Z app\.1 \| listening on \d+\n$/)
    assert.match(nobody.stderr, /no line of api; there are lines of app\.1, monohull, nginx\n.*access lines/)

    const [deaths, one, none, table] = await Promise.all([
      cli(monohull, 'deaths', '--json'),
      cli(monohull, 'deaths', '1'),
      cli(monohull, 'deaths', '9'),
      cli(monohull, 'ls'),
    ])
    const [record] = JSON.parse(deaths.stdout) as DeathRecord[]
    assert.deepEqual([record?.name, record?.exit, record?.pid], ['app.1', 'exit code 5', crashed])
    assert.match(
      one.stdout,
      /^exit +exit code 5$[\s\S]*^requests in flight\n {4}POST \/crash [\s\S]*^last 1 lines\n {4}listening on /m,
    )
    assert.deepEqual([none.code, /9 is not on record/.test(none.stderr)], [1, true])
    assert.match(table.stdout, /^app\.1 +serving /m)

    const watched = follow(t, monohull, 'ps', '--watch', '500ms', '--json')
    const seen = async () => (JSON.parse((await watched.next()).value ?? '') as Status).uptimeSeconds
    const first = await seen()
    await until('another look', async () => (await seen()) > first)

    const completed = await cli(monohull, 'complete', '--', 'restart', '')
    assert.deepEqual(
      completed.stdout.split('\n').map(line => line.trim()),
      ['app', 'app.1', ':4', ''],
    )

    const shown = await cli(monohull, 'config', 'show', 'app', '--set')
    assert.match(shown.stdout, /^app\.command +\[node, \S+\] +\S*monohull\.yaml:2$/m)
    assert.match(shown.stdout, /^app\.workers +1 +MONOHULL_WORKERS$/m)

    const scaled = await cli(monohull, 'scale', '2', '--json')
    assert.deepEqual(JSON.parse(scaled.stdout), { ok: true, message: 'scaled to 2 workers' })
    const refused = await cli(monohull, 'restart', 'api', '--json')
    assert.deepEqual([refused.code, JSON.parse(refused.stdout).ok], [1, false])
    const stopped = await cli(monohull, 'stop', '--json')
    assert.deepEqual(JSON.parse(stopped.stdout), { ok: true, message: 'stopped' })
    await until('the end of the log', async () => (await lines.next()).done)
  })

  it('say in one line that no instance runs, and exit with 69', async t => {
    const nowhere = { folder: temporaryFolder(t) }
    const commands = [['status'], ['logs', '-f'], ['events'], ['deaths', '1'], ['restart', '--json'], ['ps']]
    for (const ended of await Promise.all(commands.map(words => cli(nowhere, ...words)))) {
      assert.equal(ended.code, 69)
      assert.equal(ended.stdout, '')
      assert.match(
        ended.stderr,
        /^monohull: no monohull is running in \S+\n {2}fix: (start one with monohull run|one runs in ).*\n$/,
      )
    }
  })
})
