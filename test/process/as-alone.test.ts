import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { defer, fixture, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const script = join(dirname(dirname(launcher)), 'start.sh')

/** Variables of the worker contract, and those by which the test keeps an instance to itself. */
const ours = /^(MONOHULL_\w+|LISTEN_(FDS|PID|FDNAMES)|NODE_OPTIONS|HOME|USER|LOGNAME)=/

/** Names that a shell drops or sets, a byte that is not UTF-8, and variables that Perl, Node or libc read. */
const setting = [
  "env a.b=1 my-var=2 Logging__Level__Microsoft.AspNetCore=Warning 'x y=z' L1=$(printf 'p\\344ss') EMPTY= IFS=, OPTIND=7 PPID=1",
  'PS1=p OLDPWD=/x PERL5OPT=-Mnone PERL5LIB=/p LC_ALL=xx_YY NODE_PATH=/p NODE_NO_WARNINGS=1',
].join(' ')

const around = (words: string) => ['sh', '-c', `ulimit -Sn 700; ulimit -Sc 0; umask 027; exec ${setting} ${words}`]

/** What a process was given: its environment in its order, its limits, umask, working directory and signals. */
function given(pid: number) {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1')
  return {
    environment: read('environ')
      .split('\0')
      .filter(entry => entry !== '' && !ours.test(entry)),
    limits: read('limits').split('\n'),
    status: read('status')
      .split('\n')
      .filter(line => /^(Umask|Groups|Uid|Gid|Cap\w+|NoNewPrivs|Seccomp|Sig(Blk|Ign)):/.test(line)),
  }
}

async function becomes(pid: number, program: string): Promise<number> {
  await until(program, () => readFileSync(`/proc/${pid}/comm`, 'latin1') === `${program}\n`)
  return pid
}

async function alone(t: TestContext, monohull: Monohull): Promise<number> {
  const [program = '', ...args] = around('sleep 60')
  const child = spawn(program, args, { cwd: monohull.folder, env: isolatedEnv(monohull.folder), stdio: 'ignore' })
  defer(t, () => child.kill())
  return becomes(child.pid ?? 0, 'sleep')
}

describe('a program under start.sh', { concurrency: 2 }, () => {
  it('has what the same command has alone', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }\nprocesses: { other: { command: [sleep, "60"] } }\n`,
    })
    const monohull = startMonohull(t, { folder, entry: [...around('"$0" "$@"'), script] })
    await monohull.serving()
    const other = monohull.instance().children.find(({ name }) => name === 'other.1')
    assert.ok(other)
    const expected = given(await alone(t, monohull))
    assert.deepEqual(given(await becomes(other.pid, 'sleep')), expected)
    assert.deepEqual(given(monohull.worker(1)).environment, expected.environment)
  })

  it('can be given an environment beyond what one variable holds', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      entry: [script],
      env: { ONE: 'x'.repeat(120_000), TWO: 'ü'.repeat(60_000), 'a.b': 'kept' },
    })
    await monohull.serving()
    const { environment } = given(monohull.worker(1))
    assert.ok(environment.includes('a.b=kept'))
    assert.deepEqual(
      environment.filter(entry => entry.length > 100_000).map(({ length }) => length),
      [120_004, 120_004],
    )
  })
})
