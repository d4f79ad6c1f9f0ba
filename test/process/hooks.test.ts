import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { launcher } from './built.ts'
import { fixture, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const app = ['run', 'node', fixture('hello.cjs')]
const runsAs = process.getuid?.() === 0 ? 'nobody' : ''

/** A configuration whose hooks are these commands of a shell. */
function yaml(hooks: Record<string, string | { command: string; timeout: string }>): string {
  const entries = Object.entries(hooks).map(([event, hook]) => {
    const { command, timeout } = typeof hook === 'string' ? { command: hook, timeout: '20s' } : hook
    return `  ${event}: { command: [sh, -c, ${JSON.stringify(command)}], timeout: ${timeout} }`
  })
  return `hooks:\n${entries.join('\n')}\n`
}

const tell =
  'echo "$MONOHULL_EVENT worker=$MONOHULL_WORKER pid=$MONOHULL_PID exit=$MONOHULL_EXIT reason=$MONOHULL_REASON"'

function hooksRunning(monohull: Monohull, event: string): number {
  return monohull.instance().children.filter(({ name }) => name === `hook.${event}`).length
}

describe('hooks', { concurrency: 3 }, () => {
  it('before_start runs before the first worker, as the app’s user, in its folder, with its variables', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: {
        'monohull.yaml': `app: { ${runsAs && `user: ${runsAs}, `}env: { GREETING: hi } }\n${yaml({
          before_start:
            'echo "$MONOHULL_EVENT $GREETING $(id -un) $(pwd) $(printenv MONOHULL_STATE_DIR || echo hidden)"',
        })}`,
      },
    })
    await monohull.serving()
    const user = runsAs || process.env.USER || '\\S+'
    const said = await monohull.seen(
      new RegExp(`hook\\.before_start\\[\\d+\\] stdout\\| before_start hi ${user} ${monohull.folder} hidden`),
    )
    assert.ok(said.index < monohull.output().search(/worker ready/))
    assert.ok(said.index < monohull.output().search(/ starting /))
  })

  it('reach their own instance, and cannot make it run them again', async t => {
    const folder = temporaryFolder(t)
    const call = (words: string) =>
      `"${process.execPath}" "${launcher}" ${words} >/dev/null && echo "$MONOHULL_EVENT: ${words}"`
    writeFileSync(
      join(folder, 'monohull.yaml'),
      `run_dir: ${join(folder, 'run')}
app: { workers: 1 }
${yaml({
  worker_ready: `${call('status')}; ${call('restart')}; echo "restart: $?"`,
  before_reload: `${call('status')}; ${call('reload')}; echo "reload: $?"`,
  after_reload: `${call('reload')}; echo "again: $?"`,
})}`,
    )
    const env = { MONOHULL_RUN_DIR: undefined, MONOHULL_WORKERS: undefined }
    const monohull = startMonohull(t, { args: app, folder, env })
    await monohull.serving()
    const from = (await monohull.seen(/hook\.worker_ready\[\d+\] stdout\| restart: 1\n/)).index
    assert.match(monohull.output(), /worker_ready: status\n/)
    assert.match(monohull.output(), /command rejected command=restart hook=worker_ready reason="it would run the hook/)
    monohull.signal('SIGHUP')
    await monohull.seen(/hook\.after_reload\[\d+\] stdout\| again: 1\n/, from)
    await monohull.seen(/reload finished/)
    assert.match(monohull.output(), /before_reload: status\n.*(\n.*)*stdout\| reload: 1\n/)
    assert.equal(monohull.output().match(/command received/g)?.length, 1)
  })

  it('before_start that fails ends the start with its code, before any worker', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: { 'monohull.yaml': yaml({ before_start: 'echo no database; exit 3' }) },
    })
    assert.equal(await monohull.exited, 3)
    assert.match(monohull.output(), /stdout\| no database/)
    assert.match(monohull.output(), /cannot start: hook before_start ended with exit code 3/)
    assert.doesNotMatch(monohull.output(), / starting |worker ready/)
  })

  it('before_start that takes too long is ended with what it started', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: { 'monohull.yaml': yaml({ before_start: { command: 'sleep 600 & sleep 600', timeout: '300ms' } }) },
    })
    assert.equal(await monohull.exited, 143)
    assert.match(monohull.output(), /hook before_start took longer than 300ms/)
  })

  it('a stop ends before_start at once', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: { 'monohull.yaml': yaml({ before_start: 'trap "" HUP; echo preparing; exec sleep 600' }) },
    })
    await monohull.seen(/preparing/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.doesNotMatch(monohull.output(), /cannot start|worker ready/)
  })

  it('worker_ready and worker_exit are told which worker, and why it ended', async t => {
    const monohull = startMonohull(t, {
      args: app,
      env: { MONOHULL_WORKERS: '1' },
      files: { 'monohull.yaml': yaml({ worker_ready: tell, worker_exit: `${tell}; exit 4` }) },
    })
    await monohull.serving()
    const first = monohull.worker(1)
    await monohull.seen(new RegExp(`worker_ready worker=app\\.1 pid=${first} exit= reason=$`, 'm'))
    process.kill(first, 'SIGKILL')
    await monohull.seen(new RegExp(`worker_exit worker=app\\.1 pid=${first} exit=137 reason=died`))
    await monohull.seen(/warn hook failed hook=worker_exit worker=app\.1 reason="ended with exit code 4"/)
    const next = await monohull.workerAfter(1, first)
    await monohull.seen(new RegExp(`worker_ready worker=app\\.1 pid=${next} `))
    assert.equal((await monohull.request()).status, 200)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    await monohull.seen(new RegExp(`worker_exit worker=app\\.1 pid=${next} exit=0 reason=requested`))
  })

  it('worker_exit is told what monohull ended a worker for', async t => {
    const files = {
      'monohull.yaml': yaml({ worker_exit: tell }),
      'app.cjs': `if (require('node:fs').existsSync('silent')) setInterval(() => {}, 1000)
else require('node:http').createServer((q, r) => r.end()).listen(3000)`,
    }
    const env = { MONOHULL_WORKERS: '1', MONOHULL_TIMEOUT: '1s', MONOHULL_BOOT_TIMEOUT: '5s' }
    const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files, env })
    await monohull.serving()
    const hung = monohull.worker(1)
    writeFileSync(join(monohull.folder, 'silent'), '')
    process.kill(hung, 'SIGSTOP')
    await monohull.seen(new RegExp(`worker_exit worker=app\\.1 pid=${hung} exit=137 reason=hung$`, 'm'))
    await monohull.seen(/worker_exit worker=app\.1 pid=\d+ exit=0 reason=boot timeout$/m)
  })

  it('worker hooks hold nobody up, and few run at once', async t => {
    const monohull = startMonohull(t, {
      args: app,
      env: { MONOHULL_WORKERS: '6' },
      files: {
        'monohull.yaml': yaml({
          worker_ready: 'echo begun; until [ -e go ]; do sleep 0.05; done; echo done $MONOHULL_WORKER',
        }),
      },
    })
    await monohull.serving()
    await until('six workers in nginx', () => monohull.output().match(/worker ready/g)?.length === 6)
    await until('four hooks', () => monohull.output().match(/\| begun/g)?.length === 4)
    assert.equal(hooksRunning(monohull, 'worker_ready'), 4)
    assert.equal((await monohull.request()).status, 200)
    writeFileSync(join(monohull.folder, 'go'), '')
    await until('all hooks', () => monohull.output().match(/\| done app\.\d/g)?.length === 6)
    assert.equal(new Set(monohull.output().match(/done app\.\d/g)).size, 6)
  })

  it('before_reload that fails changes nothing; after_reload is only for a reload that was done', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: {
        'monohull.yaml': yaml({ before_reload: `${tell}; test -e allowed`, after_reload: `${tell} > told; exit 5` }),
      },
    })
    await monohull.serving()
    const before = [monohull.worker(1), monohull.worker(2)]
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned.*\n?.*hook before_reload ended with exit code 1/)
    assert.deepEqual([monohull.worker(1), monohull.worker(2)], before)
    assert.equal(existsSync(join(monohull.folder, 'told')), false)
    writeFileSync(join(monohull.folder, 'allowed'), '')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.notEqual(monohull.worker(1), before[0])
    const told = (event: string) => `${event} worker= pid= exit= reason=\n`
    assert.equal(readFileSync(join(monohull.folder, 'told'), 'utf8'), told('after_reload'))
    assert.equal(monohull.output().split(`stdout| ${told('before_reload')}`).length, 3)
    await monohull.seen(/warn hook failed hook=after_reload reason="ended with exit code 5"/)
  })

  it('a reload takes new hooks', async t => {
    const monohull = startMonohull(t, { args: app, files: { 'monohull.yaml': '{}' } })
    await monohull.serving()
    writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml({ before_reload: 'echo first reload' }))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.match(monohull.output(), /hook\.before_reload\[\d+\] stdout\| first reload/)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), 'hooks: { before_reload: no-such-program }\n')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned/)
    assert.match(monohull.output(), /hooks\.before_reload: was not found/)
  })

  it('before_stop runs while everything serves', async t => {
    const monohull = startMonohull(t, {
      args: app,
      files: { 'monohull.yaml': yaml({ before_stop: `${tell}; until [ -e go ]; do sleep 0.05; done; exit 2` }) },
      env: { MONOHULL_STOP_TIMEOUT: '60s' },
    })
    await monohull.serving()
    monohull.signal('SIGTERM')
    await monohull.seen(/before_stop worker= pid= exit=0 reason=$/m)
    assert.equal((await monohull.request()).status, 200)
    assert.equal((await monohull.request({ path: '/readyz' })).status, 503)
    writeFileSync(join(monohull.folder, 'go'), '')
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /warn hook failed hook=before_stop reason="ended with exit code 2"/)
  })

  it('before_stop gets no more than its part of the stop, and a second TERM ends it', async t => {
    const files = { 'monohull.yaml': yaml({ before_stop: 'echo leaving; exec sleep 600' }) }
    const bounded = startMonohull(t, {
      args: app,
      files,
      env: { MONOHULL_STOP_TIMEOUT: '3s', MONOHULL_GRACEFUL_TIMEOUT: '2s' },
    })
    const hurried = startMonohull(t, { args: app, files, env: { MONOHULL_STOP_TIMEOUT: '600s' } })
    await Promise.all([bounded.serving(), hurried.serving()])
    bounded.signal('SIGTERM')
    hurried.signal('SIGTERM')
    await hurried.seen(/leaving/)
    hurried.signal('SIGTERM')
    assert.deepEqual(await Promise.all([bounded.exited, hurried.exited]), [0, 0])
    assert.match(bounded.output(), /warn hook failed hook=before_stop reason="took longer than 1\.\ds/)
  })

  it('check names a program that is not there, and a hook that is none', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml':
        'hooks:\n  before_start: no-such-program --now\n  worker_exit: { comand: [true] }\n  before_stop: "a | b"\n',
    })
    const check = (args: string[]) =>
      promisify(execFile)(process.execPath, [launcher, 'check', ...args], {
        cwd: folder,
        env: isolatedEnv(folder),
      }).catch((error: { code: number; stderr: string }) => error)
    const shapes = await check(['node', fixture('hello.cjs')])
    assert.match(
      shapes.stderr,
      /hooks\.worker_exit\.comand: is not a known key\n.*monohull\.yaml:3\n.*hooks\.worker_exit\.command\?/,
    )
    assert.match(shapes.stderr, /hooks\.before_stop: contains the shell operator \|/)
    writeFileSync(join(folder, 'monohull.yaml'), 'hooks: { before_start: no-such-program --now }\n')
    const program = await check(['node', fixture('hello.cjs')])
    assert.equal('code' in program && program.code, 78)
    assert.match(program.stderr, /hooks\.before_start: was not found, got "no-such-program"/)
  })
})
