import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { launcher } from './built.ts'
import { fixture, isolatedEnv, needsRoot, startMonohull, temporaryFolder, until } from './monohull.ts'

const hello = fixture('hello.cjs')

describe('a machine that is not as usual', { concurrency: 3 }, () => {
  it('nginx is not in PATH, as for users of Debian: it is found all the same', async t => {
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { PATH } })
    await monohull.serving()
    assert.equal((await monohull.request()).status, 200)
  })

  it('monohull and the app are in directories with spaces, quotes and other letters', async t => {
    const folder = temporaryFolder(t, {
      "my apps/it's für us/server.cjs": 'require("node:http").createServer((_, r) => r.end("hello")).listen(3000)\n',
      "my apps/it's für us/nginx/server.d/own.conf": 'location = /own { return 200 "own"; }\n',
      'my apps/files & more/index.html': 'files',
    })
    const home = join(folder, 'a "checkout" of $mine')
    for (const name of ['dist', 'nginx', 'package.json'])
      cpSync(join(dirname(launcher), '..', name), join(home, name), { recursive: true })
    const appDirectory = join(folder, "my apps/it's für us")
    writeFileSync(
      join(appDirectory, 'monohull.yaml'),
      `app: { command: node server.cjs }\nroutes: [{ path: /, app: app }, { path: /files/, files: { root: ../files & more } }]\n`,
    )
    const monohull = startMonohull(t, {
      through: ['sh', '-c', 'exec "$1" "$COPY" run', 'sh'],
      folder,
      env: {
        COPY: join(home, relative(join(dirname(launcher), '..'), launcher)),
        MONOHULL_DIRECTORY: appDirectory,
        MONOHULL_CERT_DIR: undefined,
        MONOHULL_STATE_DIR: join(folder, 'home of me/state'),
      },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'hello')
    assert.equal((await monohull.request({ path: '/own' })).body, 'own')
    assert.equal((await monohull.request({ path: '/files/' })).body, 'files')
  })

  it('the current directory was removed: reported with a fix', () => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-gone-'))
    const words = ['-c', 'cd "$1" && rmdir "$1" && exec "$2" "$3" run', 'sh', folder, process.execPath, launcher]
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8', timeout: 20_000 })
    assert.equal(
      stderr,
      'monohull: cannot start in the current directory: it was removed\n  fix: change to an existing directory\n',
    )
    assert.equal(status, 78)
  })

  it('another user created run_dir in a directory for everyone: nothing starts, and nothing in it is used', {
    skip: needsRoot,
  }, async t => {
    const folder = temporaryFolder(t)
    const shared = join(folder, 'shared')
    mkdirSync(join(shared, 'run'), { recursive: true })
    chmodSync(shared, 0o1777)
    chownSync(join(shared, 'run'), 31_001, 31_001)
    const env = { MONOHULL_RUN_DIR: join(shared, 'run') }
    const monohull = startMonohull(t, { folder, args: ['run', 'node', hello], env })
    assert.equal(await monohull.exited, 78)
    assert.match(
      monohull.output(),
      /cannot use run_dir \S+: \S+ belongs to another user \(uid 31001\).*set MONOHULL_RUN_DIR/s,
    )
    assert.deepEqual(readdirSync(join(shared, 'run')), [])
  })

  it('the folder of the app goes while it runs: what was started serves on, and what cannot be started says why', async t => {
    const app = join(temporaryFolder(t), 'app')
    mkdirSync(app)
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { MONOHULL_DIRECTORY: app } })
    await monohull.serving()
    rmdirSync(app)
    monohull.signal('SIGUSR2')
    await monohull.seen(
      /rolling restart abandoned.* reason="app\.1: cannot start app\.1 \(node\): its directory \S+ does not exist; restore it/,
    )
    assert.equal((await monohull.request()).status, 200)
  })
  for (const [what, HOME] of [
    ['has no entry in passwd, and HOME is not set', undefined],
    ['has an empty HOME', ''],
  ] as const) {
    it(`the user ${what}: it serves, and says where it keeps what it would keep`, { skip: needsRoot }, async t => {
      const folder = temporaryFolder(t)
      chmodSync(folder, 0o1777)
      const asNobody = ['--reuid', '12345', '--regid', '12345', '--clear-groups']
      const child = spawn('setpriv', [...asNobody, process.execPath, launcher, 'run', process.execPath, hello], {
        cwd: folder,
        env: { ...isolatedEnv(folder), HOME, MONOHULL_STATE_DIR: undefined },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const exited = once(child, 'exit')
      let output = ''
      child.stderr.on('data', chunk => {
        output += chunk
      })
      await until('it to serve', () => child.exitCode !== null || /serving http/.test(output))
      child.kill('SIGTERM')
      assert.deepEqual(await exited, [0, null], output)
      assert.match(output, /kept_in="\S+ \(not in state_dir \/var\/lib\/monohull: /)
    })
  }

  it('files are closed to others from the start (umask 077): nginx serves all the same, and the app keeps the umask', async t => {
    const program = `require('node:http').createServer((_, answer) => answer.end(process.umask().toString(8))).listen(3000)`
    const folder = temporaryFolder(t, { 'app.cjs': program })
    const before = process.umask(0o077)
    const monohull = startMonohull(t, { folder, args: ['run', 'node', 'app.cjs'] })
    process.umask(before)
    await monohull.serving()
    const { status, body } = await monohull.request()
    assert.deepEqual([status, body], [200, '77'], monohull.output())
    assert.equal((await monohull.request({ path: '/healthz', scheme: 'http' })).status, 200)
  })
})
