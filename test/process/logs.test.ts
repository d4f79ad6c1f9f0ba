import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { childrenOf, readProcessStat } from '../../supervisor/processes/adapters/procfs.ts'
import { launcher } from './built.ts'
import { type Answer, defer, fixture, isolatedEnv, startMonohull, temporaryFolder, until } from './monohull.ts'

const lines = ['run', 'node', fixture('lines.cjs')]

describe('logs', () => {
  it('as text: lines whole, with source, pid and stream; long, binary and last ones too', async t => {
    const monohull = startMonohull(t, { args: lines, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const pid = monohull.worker(1)
    await monohull.request()
    await monohull.seen(/worker died .*exit code 9/)
    await monohull.seen(/access\| /)
    const bytes = readFileSync(join(monohull.folder, 'output.log')).toString('latin1')
    assert.match(bytes, new RegExp(`Z app\\.1\\[${pid}\\] stdout\\| first half second half\n`))
    assert.match(bytes, new RegExp(`app\\.1\\[${pid}\\] stdout\\| x{1000000}END\n`))
    assert.match(bytes, /stdout\| \xff\xfe\x00\x80\n/)
    assert.match(bytes, new RegExp(`app\\.1\\[${pid}\\] stderr\\| on stderr\n`))
    assert.match(bytes, new RegExp(`app\\.1\\[${pid}\\] stdout\\| no newline at the end\n`))
    assert.match(bytes, /worker died [^\n]*uptime_ms=\d+[^\n]*decision=[\s\S]*last_lines: no newline at the end/)
    assert.match(bytes, /access\| 127\.0\.0\.1 \S+ "GET \/ HTTP\/1\.1" 200/)
  })

  it('raw: what a worker writes as it is, beside the lines of monohull and nginx', async t => {
    const env = { MONOHULL_WORKERS: '1', MONOHULL_LOG_FORMAT: 'raw' }
    const monohull = startMonohull(t, { args: lines, env })
    await monohull.serving()
    await monohull.request()
    await monohull.seen(/worker died .*exit code 9[\s\S]*last_lines: see the log: with log_format: raw/)
    await monohull.seen(/access\| 127\.0\.0\.1 \S+ "GET \/ HTTP\/1\.1" 200/)
    const bytes = readFileSync(join(monohull.folder, 'output.log')).toString('latin1')
    for (const line of ['first half second half', 'on stderr']) assert.match(bytes, new RegExp(`^${line}$`, 'm'))
    assert.match(bytes, /no newline at the end/)
    assert.doesNotMatch(bytes, /app\.1\[/)
  })

  it('as text: the worker that responded, or did not, wherever its entry in nginx leads to', async t => {
    const env = { MONOHULL_WORKERS: '3', MONOHULL_HTTPS: 'off' }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], env })
    await monohull.serving()
    for (const slot of [1, 2, 3]) await monohull.seen(new RegExp(`worker ready worker=app\\.${slot} `))
    /** Settles when the line about a request names the worker that says it had it. */
    const isNamed = async (request: Promise<Answer>) => {
      const { worker, url, headers } = JSON.parse((await request).body)
      await monohull.seen(new RegExp(`"GET ${url} [^"]*" 200 .* ${worker} \\S+ "-" ${headers['x-request-id']}\n`))
    }
    // each gets the next entry
    for (let entry = 1; entry <= 8; entry++) await isNamed(monohull.request({ path: `/${entry}` }))
    const scaled = startMonohull(t, {
      folder: temporaryFolder(t),
      args: ['scale', '1'],
      env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') },
    })
    assert.equal(await scaled.exited, 0, scaled.output())
    for (let entry = 1; entry <= 8; entry++) await isNamed(monohull.request({ path: `/again/${entry}` }))
    await monohull.request({ path: '/crash' })
    await monohull.seen(/\[error\] .*prematurely closed.*"GET \/crash .*, worker: "app\.1"\n/)
    await monohull.seen(/"GET \/crash [^"]*" 502 .* app\.1 /)
  })

  it('short: the time of day, the source and the text', async t => {
    const monohull = startMonohull(t, { args: lines, env: { MONOHULL_WORKERS: '1', MONOHULL_LOG_FORMAT: 'short' } })
    await monohull.serving()
    await monohull.request({ path: '/some?q=1' })
    await monohull.seen(/monohull \| error: worker died /)
    await monohull.seen(/nginx \| GET /)
    const output = monohull.output()
    assert.match(output, /^\d\d:\d\d:\d\d app\.1 \| first half second half$/m)
    assert.match(output, /^\d\d:\d\d:\d\d nginx \| GET \/some\?q=1 200 \d\.\d{3}s$/m)
    assert.match(output, /^\d\d:\d\d:\d\d monohull \| worker ready worker=app\.1 /m)
    assert.doesNotMatch(output, /last_lines/)
  })

  it('as JSON: every line of every source is one object', async t => {
    const monohull = startMonohull(t, { args: lines, env: { MONOHULL_WORKERS: '1', MONOHULL_LOG_FORMAT: 'json' } })
    await monohull.serving()
    await monohull.request()
    await monohull.seen(/"message":"worker died"/)
    monohull.signal('SIGTERM')
    await monohull.exited
    const records = monohull
      .output()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
    const ofApp = records.filter(record => record.source === 'app.1')
    assert.ok(ofApp.every(record => Number.isInteger(record.pid) && ['stdout', 'stderr'].includes(record.stream)))
    assert.ok(ofApp.some(record => record.level === 'warn' && record.message === 'an object'))
    assert.ok(ofApp.some(record => record.line === 'first half second half'))
    assert.ok(ofApp.some(record => record.line?.length === 1_000_003))
    assert.ok(ofApp.some(record => record.line_base64 === Buffer.from([0xff, 0xfe, 0x00, 0x80]).toString('base64')))
    const access = records.find(record => record.source === 'nginx')
    assert.deepEqual([access.method, access.uri, access.status], ['GET', '/', 200])
    const death = records.find(record => record.message === 'worker died')
    assert.deepEqual([death.worker, death.exit], ['app.1', 'exit code 9'])
    assert.ok(death.last_lines.includes('no newline at the end'))
  })

  it('access lines reach a stdout that cannot be opened by name, such as systemd’s socket', async t => {
    const folder = temporaryFolder(t)
    const child = spawn(process.execPath, [launcher, 'run', 'node', fixture('hello.cjs')], {
      cwd: folder,
      env: isolatedEnv(folder),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    defer(t, async () => {
      child.kill('SIGINT')
      await exited
    })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    const port = await until('monohull to serve', () => {
      try {
        const record = JSON.parse(readFileSync(join(folder, 'run/instance.json'), 'utf8'))
        return record.isServing ? record.httpPort : undefined
      } catch {
        return undefined
      }
    })
    await fetch(`http://127.0.0.1:${port}/seen`, { redirect: 'manual' })
    await until('the access line', () => /access\| 127\.0\.0\.1 \S+ "GET \/seen HTTP\/1\.1" 308/.test(output))
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
  })

  it('access lines and others share a file that was not opened for appending', async t => {
    const folder = temporaryFolder(t)
    const descriptor = openSync(join(folder, 'output.log'), 'w')
    const monohull = startMonohull(t, { folder, args: ['run', 'node', fixture('hello.cjs')], descriptor })
    closeSync(descriptor)
    await monohull.serving()
    for (let count = 0; count < 3; count++) await monohull.request({ path: `/number/${count}` })
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    for (let count = 0; count < 3; count++)
      assert.match(monohull.output(), new RegExp(`access\\| .*GET /number/${count} `))
    assert.match(monohull.output(), /monohull info stopped code=0\n$/)
  })

  it('access lines come again when the program that copies them could not be started for a while', async t => {
    const folder = temporaryFolder(t)
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    for (const program of ['sh', 'mkfifo', 'cat']) symlinkSync(`/bin/${program}`, join(bin, program))
    const descriptor = openSync(join(folder, 'output.log'), 'w')
    const env = { PATH: `${bin}:${dirname(process.execPath)}` }
    const monohull = startMonohull(t, { folder, args: ['run', 'node', fixture('hello.cjs')], env, descriptor })
    closeSync(descriptor)
    await monohull.serving()
    const present = () => childrenOf(monohull.process.pid ?? 0)
    const copier = present().find(pid => readProcessStat(pid)?.command === 'cat')
    assert.ok(copier !== undefined)
    rmSync(join(bin, 'cat'))
    process.kill(copier, 'SIGKILL')
    await until('its end', () => !present().includes(copier))
    await monohull.request({ path: '/meanwhile' })
    symlinkSync('/bin/cat', join(bin, 'cat'))
    await monohull.seen(/access\| .*GET \/meanwhile /)
    assert.equal(monohull.process.exitCode, null)
  })

  describe('the id of a request', () => {
    const config = `https: off
app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }
routes: [{ app: app }, { path: /files, files: { root: public } }]
`
    const start = async (t: TestContext, more: string) => {
      const files = { 'monohull.yaml': config + more, 'public/page.txt': 'page' }
      const monohull = startMonohull(t, { files })
      await monohull.serving()
      const told = (await monohull.request({ path: '/files/page.txt' })).headers['x-request-id']
      await monohull.request({ path: '/app' })
      return { monohull, told }
    }

    it('is in its line where an app was told it', async t => {
      const { monohull, told } = await start(t, '')
      assert.equal(told, undefined)
      await monohull.seen(/"GET \/files\/page.txt HTTP\/1.1" 200 .* -\n/)
      await monohull.seen(/"GET \/app HTTP\/1.1" 200 .* [0-9a-f]{32}\n/)
    })

    it('is an empty text of JSON where nobody was', async t => {
      const { monohull } = await start(t, 'log_format: json')
      await monohull.seen(/"uri":"\/files\/page.txt".*"request_id":"","trace_id":""}\n/)
      await monohull.seen(/"uri":"\/app".*"request_id":"([0-9a-f]{32})","trace_id":"\1"}\n/)
    })

    it('is in every line where clients are told it', async t => {
      const { monohull, told } = await start(t, 'headers: { X-Request-Id: on }')
      await monohull.seen(new RegExp(`"GET /files/page.txt HTTP/1.1" 200 .* ${told}\n`))
      assert.match(told as string, /^[0-9a-f]{32}$/)
    })
  })
})
