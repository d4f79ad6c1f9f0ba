// needs: python3 python3-django sqlite3
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { isGroupAlive } from '../../supervisor/processes/adapters/procfs.ts'
import type { JobRun } from '../../supervisor/programs/jobs/operations.ts'
import type { JobStatus } from '../../supervisor/programs/jobs/status.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const app = `app: { command: [node, ${fixture('hello.cjs')}], env: { SHOP: blue } }\n`
const needsPrograms = !process.env.CI && !existsSync('/usr/bin/sqlite3') && 'needs sqlite3 and python3-django'
const hour = 3_600_000

async function ask<T>(monohull: Monohull, method: 'GET' | 'POST', path: string): Promise<T> {
  return (await askAdmin(join(monohull.folder, 'run/admin.sock'), { method, path })).body as T
}

const run = (monohull: Monohull, name: string) =>
  ask<{ ok: boolean; message: string; reason?: string; code?: number }>(monohull, 'POST', `/jobs/${name}/run?wait=true`)

/** Runs the command line for the instance of a folder, with a log of its own. */
async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const folder = temporaryFolder(t)
  const told = startMonohull(t, { folder, args, env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } })
  return { code: await told.exited, output: told.output() }
}

/** The state of a job that was last dealt with so long ago. */
function stateOf(schedule: string, agoMs: number): string {
  return JSON.stringify({ schedule, seenAt: new Date(Date.now() - agoMs).toISOString(), isPaused: false, runs: [] })
}

describe('jobs', { concurrency: 2 }, () => {
  it('run a Node script, a pipeline, a database dump and manage.py, with the environment of the app', {
    skip: needsPrograms,
  }, async t => {
    const folder = temporaryFolder(t, {
      'report.js': 'console.log(process.argv.slice(2), process.env.SHOP, process.env.EXTRA, process.cwd())',
      'manage.py':
        "import sys, types\nfrom django.conf import settings\nsettings.configure(INSTALLED_APPS=['django.contrib.sessions'], SESSION_ENGINE='django.contrib.sessions.backends.file', SESSION_FILE_PATH='sessions')\nfrom django.core.management import execute_from_command_line as run\nrun(sys.argv)\n",
      'sessions/.keep': '',
      'monohull.yaml': `${app}jobs:
  report: { schedule: "@daily", command: 'node report.js --title "Sales of yesterday"', env: { EXTRA: more } }
  pipe: { schedule: "@daily", command: [sh, -c, 'echo "it''s \\"$SHOP\\"" | tr a-z A-Z; exit 3'] }
  dump: { schedule: 30 2 * * *, command: [sh, -c, 'sqlite3 shop.db .dump | gzip > "dump of $SHOP.gz"'] }
  sessions: { schedule: "*/10 * * * *", command: /usr/bin/python3 manage.py clearsessions -v 2 }
`,
    })
    execFileSync('sqlite3', [join(folder, 'shop.db'), 'create table sales(n); insert into sales values (42)'])
    const monohull = startMonohull(t, { folder })
    await monohull.serving()
    const outcomes = await Promise.all(['report', 'pipe', 'dump', 'sessions'].map(name => run(monohull, name)))
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 3, 0, 0],
      monohull.output(),
    )
    const output = monohull.output()
    assert.match(
      output,
      new RegExp(`job:report\\[\\d+\\] stdout\\| \\[ '--title', 'Sales of yesterday' \\] blue more ${folder}`),
    )
    assert.match(output, /job:pipe\[\d+\] stdout\| IT'S "BLUE"/)
    assert.match(output, /job failed job=pipe exit="exit code 3" ms=\d+\n {4}last_lines: IT'S "BLUE"/)
    assert.match(gunzipSync(readFileSync(join(folder, 'dump of blue.gz'))).toString(), /VALUES\(42\)/)
    // the command line exits with the code of the job, and shows what was
    const told = await tell(t, monohull, 'jobs', 'run', 'pipe', '--wait')
    assert.deepEqual([told.code, told.output], [3, 'monohull: pipe failure: exit code 3\nIT\'S "BLUE"\n'])
    const history = await tell(t, monohull, 'jobs', 'history', 'pipe', '--json')
    assert.deepEqual(
      (JSON.parse(history.output) as JobRun[]).map(({ exitCode, trigger }) => [exitCode, trigger]),
      [
        [3, 'request'],
        [3, 'request'],
      ],
    )
    assert.match((await tell(t, monohull, 'jobs', 'list')).output, /^pipe +@daily +waiting +\S+ 00:00:00 .* failure /m)
  })

  it('are made up once by two instances that share a state directory', async t => {
    const state = temporaryFolder(t, { 'jobs/missed.json': stateOf('* * * * * UTC', hour) })
    const yaml = `${app}jobs: { missed: { schedule: "* * * * *", timezone: UTC, command: echo made up, catch_up: true } }\n`
    const both = [1, 2].map(() =>
      startMonohull(t, { files: { 'monohull.yaml': yaml }, env: { MONOHULL_STATE_DIR: state, MONOHULL_WORKERS: '1' } }),
    )
    await Promise.all(both.map(monohull => monohull.serving()))
    const [one] = both
    const runs = await until('the run', async () => {
      const found = one && (await ask<JobRun[]>(one, 'GET', '/jobs/history'))
      return found?.every(({ result }) => result !== undefined) && found.length > 0 && found
    })
    const madeUp = runs.filter(({ trigger }) => trigger === 'catch_up')
    assert.equal(madeUp.length, 1)
    const outputs = both.map(monohull => monohull.output()).join('')
    assert.equal(outputs.match(/job missed job=missed runs=\d+ last=\S+ made_up=true/g)?.length, 1)
  })

  it('go on through a reload, get TERM in a stop, and are lost with a kill', async t => {
    const trap = `trap 'echo ended well; exit 0' TERM; echo began; while :; do sleep 0.05; done`
    const files = {
      'monohull.yaml': `${app}jobs:
  long: { schedule: "@yearly", command: [sh, -c, ${JSON.stringify(trap)}] }
  group: { schedule: "@yearly", command: [sh, -c, "sleep 600 & echo $$; setsid sleep 600 & wait"], timeout: 500ms }
`,
    }
    const folder = temporaryFolder(t, files)
    const killed = startMonohull(t, { folder })
    await killed.serving()
    const late = await run(killed, 'group')
    assert.equal(late.reason, 'timeout of 500ms, signal SIGTERM')
    const [, group = ''] = /job:group\[\d+\] stdout\| (\d+)/.exec(killed.output()) ?? []
    assert.equal(isGroupAlive(Number(group)), false)
    const left = /ending a process that a job left behind job=group pid=(\d+) command=sleep/.exec(killed.output())
    assert.ok(left, killed.output())
    assert.equal(isGroupAlive(Number(left[1])), false)
    await ask(killed, 'POST', '/jobs/long/run')
    await killed.seen(/job:long\[\d+\] stdout\| began/)
    const [before] = await ask<JobStatus[]>(killed, 'GET', '/jobs')
    assert.equal(before?.state, 'running')
    writeFileSync(join(folder, 'monohull.yaml'), files['monohull.yaml'].replace('@yearly', '@monthly'))
    killed.signal('SIGHUP')
    await killed.seen(/reload finished/)
    const [after] = await ask<JobStatus[]>(killed, 'GET', '/jobs')
    assert.deepEqual([after?.pid, after?.schedule], [before?.pid, '@monthly'])
    killed.process.kill('SIGKILL')
    await killed.exited
    const next = startMonohull(t, { folder })
    await next.serving()
    await next.seen(/job was cut off when Monohull was killed job=long/)
    assert.equal(isGroupAlive(before?.pid ?? 0), false)
    await ask(next, 'POST', '/jobs/long/run')
    await next.seen(/job:long\[\d+\] stdout\| began/, next.output().lastIndexOf('job was cut off'))
    next.signal('SIGTERM')
    assert.equal(await next.exited, 0)
    const kept = JSON.parse(readFileSync(join(folder, 'state/jobs/long.json'), 'utf8')) as { runs: JobRun[] }
    assert.deepEqual(
      kept.runs.map(({ result }) => result),
      ['lost', 'stopped'],
    )
    assert.match(next.output(), /stdout\| ended well/)
  })

  it('are checked, with their next runs, and end everything if on_failure says so', async t => {
    const yaml = `${app}jobs:
  dump: { schedule: 30 2 * * *, timezone: Europe/Berlin, command: [sh, -c, "exit 9"], on_start: true, on_failure: exit }
`
    const checked = startMonohull(t, { args: ['check'], files: { 'monohull.yaml': yaml } })
    assert.equal(await checked.exited, 0)
    const three = String.raw`\d{4}-\d\d-\d\d 02:30:00 GMT\+1, .* 02:30:00 GMT\+\d, .* 02:30:00 GMT\+\d, in Europe/Berlin`
    assert.match(
      checked.output(),
      new RegExp(`job dump \\(30 2 \\* \\* \\*\\) runs next at ${three.replace('GMT\\+1', 'GMT\\+\\d')}`),
    )
    const off = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: { MONOHULL_JOBS: 'off' } })
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml } })
    assert.equal(await monohull.exited, 9)
    await off.serving()
    assert.doesNotMatch(off.output(), /job started/)
    assert.equal((await ask<JobStatus[]>(off, 'GET', '/jobs'))[0]?.state, 'off')
  })
})
