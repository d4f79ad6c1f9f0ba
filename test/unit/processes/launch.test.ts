import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { textOf } from '../../../supervisor/base/byte-text.ts'
import { createSlotSockets } from '../../../supervisor/processes/adapters/listeners.ts'
import { createSpawn } from '../../../supervisor/processes/adapters/spawn.ts'
import { groupsOf } from '../../../supervisor/processes/adapters/users.ts'
import type { SpawnSpec } from '../../../supervisor/processes/child.ts'

const timeout = 20_000
const directory = mkdtempSync(join(tmpdir(), 'monohull-launch-'))
chmodSync(directory, 0o755)
after(() => rmSync(directory, { recursive: true, force: true }))
const nobody = 65534
const needsRoot = process.getuid?.() !== 0 && !process.env.CI && 'only root can switch users'

const output = { write() {}, full: () => undefined, end: async () => true }
const pipeDirectory = join(directory, 'pipes')
const spawn = createSpawn({
  stdout: output,
  stderr: output,
  format: 'text',
  now: () => 0,
  umask: 0o027,
  openFiles: 512,
  pipeDirectory,
  onChange() {},
})

/** Exit and last lines of a program. */
async function run(spec: Partial<SpawnSpec>, start = spawn) {
  const child = start({
    name: 'app.1',
    argv: ['true'],
    directory,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    uid: undefined,
    gid: undefined,
    inherit: [],
    output: 'relay',
    notify: false,
    ...spec,
  })
  const exit = await child.exited
  await child.outputEnded()
  return { pid: child.pid, exit, lines: child.lastLines() }
}

const status = (spec: Partial<SpawnSpec>) =>
  run({ ...spec, argv: ['grep', '-E', '^(Umask|Sig|Uid|Gid|Groups|CapPrm)', '/proc/self/status'] })
const field = (lines: string[], name: string) =>
  lines
    .find(line => line.startsWith(`${name}:`))
    ?.split(/\s+/)
    .slice(1)
    .filter(Boolean)

describe('a launched program', { timeout }, () => {
  it('has exactly the given environment, in its order', async () => {
    const file = join(directory, 'environ')
    const env = {
      'a.b': '1',
      'my-var': 'x=y',
      EMPTY: '',
      LATIN: textOf(Buffer.from([0x70, 0xe4])),
      ünï: '😀',
      IFS: ',',
      PERL5OPT: '-Mno',
      LC_ALL: 'xx',
    }
    await run({ argv: ['/bin/cp', '/proc/self/environ', file], env })
    const entries = readFileSync(file, 'latin1').split('\0').slice(0, -1)
    const expected = Object.entries(env).map(
      ([name, value]) =>
        `${Buffer.from(name).toString('latin1')}=${name === 'LATIN' ? 'p\xe4' : Buffer.from(value).toString('latin1')}`,
    )
    assert.deepEqual(entries, expected)
  })

  it('has the given words, without a shell between', async () => {
    const words = ['$HOME', "it's", '', '*', 'two\nlines', 'ü']
    const { lines } = await run({
      argv: ['node', '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', ...words],
      env: { PATH: process.env.PATH ?? '' },
    })
    assert.deepEqual(JSON.parse(lines[0] ?? ''), words)
  })

  it('has the umask and the soft limit of open files, no signal blocked or ignored, and no other descriptor', async () => {
    const { lines } = await status({})
    assert.deepEqual(field(lines, 'Umask'), ['0027'])
    assert.deepEqual([field(lines, 'SigBlk'), field(lines, 'SigIgn')], [['0'.repeat(16)], ['0'.repeat(16)]])
    const script = "ulimit -Sn; ls /proc/self/fd | grep -x '[0-9]' | tr '\\n' ' '"
    assert.deepEqual((await run({ argv: ['sh', '-c', script] })).lines, ['512', '0 1 2 3 '])
  })

  it('can open its output again by path, and its stdin is empty', async () => {
    const { exit, lines } = await run({
      argv: ['sh', '-c', 'cat; echo out >/dev/stdout && echo err >>/dev/stderr && echo own >/proc/self/fd/1'],
    })
    assert.deepEqual([exit, lines], [{ kind: 'code', code: 0 }, ['out', 'own', 'err']])
  })

  it('gets its own pid with descriptors, and none without', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is the shell's
    const argv = ['sh', '-c', 'echo "$$ ${LISTEN_PID-none}"']
    const PATH = '/usr/bin:/bin'
    const told = await run({ argv, env: { PATH, LISTEN_FDS: '1' } })
    assert.deepEqual(told.lines, [`${told.pid} ${told.pid}`])
    const plain = await run({ argv, env: { PATH } })
    assert.deepEqual(plain.lines, [`${plain.pid} none`])
  })

  it('that is not there ends with 127, one that cannot run with 126, and both say why', async () => {
    const missing = await run({ argv: ['no-such-program', 'secret'] })
    assert.deepEqual(missing.exit, { kind: 'code', code: 127 })
    assert.deepEqual(missing.lines, ['monohull: cannot run no-such-program: No such file or directory'])
    writeFileSync(join(directory, 'plain.txt'), 'text', { mode: 0o644 })
    assert.deepEqual((await run({ argv: ['./plain.txt'] })).exit, { kind: 'code', code: 126 })
  })

  it('runs as another user with its groups, and can still open its output', { skip: needsRoot }, async () => {
    const { lines } = await status({ uid: nobody, gid: nobody })
    assert.deepEqual([field(lines, 'Uid'), field(lines, 'Gid')], [Array(4).fill('65534'), Array(4).fill('65534')])
    assert.deepEqual(field(lines, 'Groups'), [String(nobody), ...groupsOf(nobody).map(String)])
    assert.deepEqual(field(lines, 'CapPrm'), ['0'.repeat(16)])
    const opened = await run({
      argv: ['sh', '-c', 'echo out >/dev/stdout && echo err >/dev/stderr'],
      uid: nobody,
      gid: nobody,
    })
    assert.deepEqual(opened.lines, ['out', 'err'])
  })

  it('gets a descriptor on which accept waits, or not, as it wants', async () => {
    const sockets = createSlotSockets({ uid: undefined, gid: undefined })
    const socket = sockets.bind(join(directory, 'app.sock'))
    const flags = async (isBlocking: boolean) => {
      const { lines } = await run({
        argv: ['sh', '-c', 'grep flags /proc/self/fdinfo/3'],
        inherit: [socket.descriptor],
        isBlocking,
      })
      return Number.parseInt(lines[0]?.split(/\s+/)[1] ?? '', 8) & 0o4000
    }
    assert.deepEqual([await flags(false), await flags(true)], [0o4000, 0])
    socket.close()
  })

  it('takes an environment of a megabyte', async () => {
    const env = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]))
    const { lines } = await run({ argv: ['/usr/bin/wc', '-c', '/proc/self/environ'], env })
    assert.equal(Number.parseInt(lines[0] ?? '', 10), 10 * 100_004)
  })

  it("has the supervisor's own output if that is wanted, and its last lines are not known", async () => {
    const file = join(directory, 'own-output')
    const start = createSpawn({
      stdout: output,
      stderr: output,
      format: 'text',
      hasOwnOutput: true,
      now: () => 0,
      umask: 0o022,
      onChange() {},
    })
    const { lines } = await run(
      { argv: ['/bin/sh', '-c', `found=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo "$found" > ${file}`] },
      start,
    )
    assert.equal(readFileSync(file, 'utf8'), [1, 2].map(fd => `${readlinkSync(`/proc/self/fd/${fd}`)}\n`).join(''))
    assert.match(lines.join(), /log_format: raw/)
  })

  it('writes to a pipe of 256 KB', async () => {
    const { lines } = await run({ argv: ['/usr/bin/perl', '-e', 'print fcntl(STDOUT, 1032, 0)'] })
    assert.deepEqual(lines, [String(1 << 18)])
  })

  it('has all its lines in order, whatever their length, and its last 8 KB for a report', async () => {
    const written: string[] = []
    const to = { ...output, write: (data: Buffer | string) => void written.push(String(data)) }
    const start = createSpawn({
      stdout: to,
      stderr: to,
      format: 'text',
      now: () => 0,
      umask: 0o022,
      pipeDirectory,
      onChange() {},
    })
    const script = 'for (let i = 0; i < 20000; i++) console.log(String(i).padEnd(1 + (i * 7919) % 300, "x"))'
    const { lines } = await run({ argv: [process.execPath, '-e', script] }, start)
    const numbers = written
      .join('')
      .split('\n')
      .slice(0, -1)
      .map(line => Number(/\| (\d+)x*$/.exec(line)?.[1]))
    assert.deepEqual([numbers.length, numbers.findIndex((number, index) => number !== index)], [20_000, -1])
    assert.match(lines.at(-1) ?? '', /^19999/)
  })

  it('has its output where no pipe can be made, too', async () => {
    const unable = createSpawn({
      stdout: output,
      stderr: output,
      format: 'text',
      now: () => 0,
      umask: 0o022,
      pipeDirectory: '/dev/null/none',
      onChange() {},
    })
    assert.deepEqual((await run({ argv: ['echo', 'x'] }, unable)).lines, ['x'])
  })

  it('leaves no pipe of its own in the directory, and the next instance removes those in reserve', async () => {
    const open = execFileSync('ls', ['-l', `/proc/${process.pid}/fd`], { encoding: 'utf8' })
    assert.equal(open.includes(pipeDirectory), false)
    assert.ok(readdirSync(pipeDirectory).length > 0)
    createSpawn({
      stdout: output,
      stderr: output,
      format: 'text',
      now: () => 0,
      umask: 0o022,
      pipeDirectory,
      onChange() {},
    })
    assert.equal(existsSync(pipeDirectory), false)
  })
})
