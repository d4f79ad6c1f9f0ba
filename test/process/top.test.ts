// needs: python3
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { defer, isolatedEnv, type Monohull, startMonohull, until } from './monohull.ts'

const ptyProgram = join(import.meta.dirname, '../fixtures/in-terminal.py')
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l'

interface Screen {
  type(text: string): void
  resize(columns: number, rows: number): void
  signal(name: NodeJS.Signals): void
  /** Lines of the last frame that the terminal got, without colours. */
  lines(): string[]
  output(): string
  shows(pattern: RegExp): Promise<string>
  ended: Promise<{ code: number; isRestored: boolean }>
}

/** Runs `monohull top` in a pseudo-terminal. */
function openTop(
  t: TestContext,
  monohull: Monohull,
  given: { env?: object; shell?: string; columns?: number } = {},
): Screen {
  const command = given.shell === undefined ? [process.execPath, launcher, 'top'] : ['sh', '-c', given.shell]
  const child: ChildProcess = spawn('python3', [ptyProgram, `${given.columns ?? 100}`, '20', ...command], {
    env: {
      ...isolatedEnv(monohull.folder),
      TERM: 'xterm-256color',
      NODE: process.execPath,
      LAUNCHER: launcher,
      ...given.env,
    },
  })
  defer(t, () => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const lines = () => {
    const frames = output.split('\u001b[H')
    return (frames.at(-1) ?? '').replace(/\u001b\[[\d;?]*[A-Za-z]/g, '').split(/\r*\n/)
  }
  const pid = () => Number(/^pid (\d+)/.exec(output)?.[1])
  return {
    type: text => void child.stdin?.write(text),
    resize: (columns, rows) => void child.stdin?.write(`\0${columns} ${rows}\n`),
    signal: name => void process.kill(pid(), name),
    lines,
    output: () => output,
    shows: pattern =>
      until(`the screen to show ${pattern}`, () => lines().find(line => pattern.test(line)), {
        details: () => output.slice(-2000),
      }),
    ended: new Promise(resolve => {
      child.once('close', () => resolve(JSON.parse(output.trim().split('\n').at(-1) ?? '')))
    }),
  }
}

const app = {
  args: ['run', 'node', 'app.cjs'],
  files: {
    'app.cjs': `require('node:http').createServer((q, r) => {
  console.log('asked for ' + q.url + ' \\u001b[31mred\\u001b[2J\\u0007')
  r.end('well')
}).listen(3000)`,
  },
  env: { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '3' },
}

describe('monohull top in a terminal', () => {
  it('shows, sorts, follows a log, restarts a worker, and restores the terminal, however it ends', async t => {
    const monohull = startMonohull(t, app)
    await monohull.serving()
    await monohull.seen(/worker ready worker=app\.3/)
    const screen = openTop(t, monohull)
    await screen.shows(/^monohull ready, up \d+s/)
    await screen.shows(/^ NAME +STATE +PID +UP/)
    await screen.shows(/^>app\.1 +serving +\d+ /)
    screen.type('jj')
    await screen.shows(/^>app\.3 +serving/)
    screen.type('\u001b[A')
    await screen.shows(/^>app\.2 /)
    screen.type('s')
    await screen.shows(/s sort \(cpu\)/)
    screen.type('sssss?')
    await screen.shows(/^ *up, down, j, k/)
    screen.type('q')
    await screen.shows(/s sort \(name\)/)

    await until('a request to app.2', async () => {
      await monohull.request({ path: '/here' })
      return /app\.2\[\d+\] stdout\| asked for/.test(monohull.output())
    })
    screen.type('l')
    await screen.shows(/^\d\d:\d\d:\d\d asked for \/here red/)
    assert.doesNotMatch(screen.output(), /\u001b\[2J|\u0007/)
    screen.type('\u001b')
    await screen.shows(/^>app\.2 /)

    const before = monohull.worker(2)
    screen.type('rn')
    screen.type('r')
    await screen.shows(/^restart app\.2\? y/)
    screen.type('y')
    await screen.shows(/^app\.2 replaced/)
    assert.notEqual(monohull.worker(2), before)
    assert.doesNotMatch(monohull.output(), /app\.[13] .*replaced/)

    screen.resize(24, 5)
    await until('a small frame', () => screen.lines().length <= 5 && screen.lines().every(line => line.length <= 24), {
      details: () => screen.lines().join('\n'),
    })
    screen.resize(1, 1)
    await until('a tiny frame', () => screen.lines().join('').length <= 1)
    screen.resize(100, 20)
    await screen.shows(/^>app\.2 /)
    screen.type('q')
    assert.deepEqual(await screen.ended, { code: 0, isRestored: true })
    assert.ok(screen.output().includes(leave))

    const ends: [string, Parameters<typeof openTop>[2], (screen: Screen) => void][] = [
      ['Ctrl-C', {}, one => one.type('\u0003')],
      ['SIGTERM', {}, one => one.signal('SIGTERM')],
      ['SIGHUP', {}, one => one.signal('SIGHUP')],
      ['a closed stdin', { shell: '"$NODE" "$LAUNCHER" top < /dev/null' }, () => {}],
    ]
    await Promise.all(
      ends.map(async ([name, options, end]) => {
        const one = openTop(t, monohull, options)
        await until(name, () => one.output().includes('monohull ready'))
        end(one)
        assert.deepEqual(await one.ended, { code: 0, isRestored: true }, name)
        assert.ok(one.output().includes(leave), name)
      }),
    )

    const plain = openTop(t, monohull, { env: { NO_COLOR: '1' } })
    await plain.shows(/^>app\.1 /)
    assert.doesNotMatch(plain.output(), /\u001b\[[\d;]*m/)
    monohull.signal('SIGTERM')
    const gone = await plain.ended
    assert.deepEqual([gone.code, gone.isRestored], [69, true])
    assert.match(plain.output().split(leave)[1] ?? '', /monohull: the instance stops/)
  })

  it('is a table where there is no terminal, or JSON; without an instance, it says so', async t => {
    const monohull = startMonohull(t, { ...app, env: { ...app.env, MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const outputs = await Promise.all(
      [[], ['--json'], ['--run-dir', join(monohull.folder, 'none')]].map(words => runAlone(t, monohull, words)),
    )
    assert.match(outputs[0]?.output ?? '', /^monohull ready[\s\S]*\n NAME[\s\S]*\n app\.1 +serving/)
    assert.match(outputs[0]?.output ?? '', /docker exec -it/)
    const { state, rows } = JSON.parse(outputs[1]?.output ?? '')
    assert.deepEqual([state, rows.length, rows[0].name, rows[0].pid], ['ready', 1, 'app.1', monohull.worker(1)])
    assert.deepEqual([outputs[2]?.code, /no monohull is running/.test(outputs[2]?.output ?? '')], [69, true])
  })
})

/** Runs `monohull top` with its output in a file. */
async function runAlone(t: TestContext, monohull: Monohull, words: string[]) {
  const { folder } = monohull
  const told = startMonohull(t, { args: ['top', ...words], env: { MONOHULL_RUN_DIR: join(folder, 'run') } })
  return { code: await told.exited, output: told.output() }
}
