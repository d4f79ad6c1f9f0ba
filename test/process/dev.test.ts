// needs: python3
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { defer, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const server = (answer: string) =>
  `require('node:http').createServer((q, r) => r.end('${answer} ' + process.env.NODE_ENV)).listen(3000)\n`

/** `monohull dev` as at a terminal: how many workers, which scheme and how much is logged is left to it. */
function startDev(t: TestContext, files: Record<string, string>, command = ['node', 'server.cjs']): Monohull {
  return startMonohull(t, {
    args: ['dev', ...command],
    files,
    env: { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined },
  })
}

function change(monohull: Monohull, file: string, text: string): number {
  const from = monohull.output().length
  writeFileSync(join(monohull.folder, file), text)
  return from
}

/** Asks without a pause until `answer` comes; gives every status seen on the way. */
async function askUntil(monohull: Monohull, answer: RegExp): Promise<Set<number>> {
  const statuses = new Set<number>()
  await until(
    `the answer ${answer}`,
    async () => {
      const posted = await monohull.request({ method: 'POST', body: 'x' })
      const { status, body } = await monohull.request()
      statuses.add(status).add(posted.status)
      return answer.test(body)
    },
    { details: monohull.output },
  )
  return statuses
}

describe('monohull dev', () => {
  it('serves what was changed, and no request fails', async t => {
    const monohull = startDev(t, { 'server.cjs': server('one') })
    const { httpsPort } = await monohull.serving()
    assert.equal(httpsPort, undefined)
    await monohull.seen(/^\d\d:\d\d:\d\d monohull \| serving http:\/\/localhost:\d+, watching /m)
    assert.equal((await monohull.request()).body, 'one development')
    assert.equal(monohull.instance().children.filter(({ name }) => name.startsWith('app.')).length, 1)
    for (const answer of ['two', 'three']) {
      const from = change(monohull, 'server.cjs', server(answer))
      assert.deepEqual([...(await askUntil(monohull, new RegExp(answer)))], [200])
      await monohull.seen(/monohull \| changed: server\.cjs, restarting\n(.*\n)*.*monohull \| restarted ms=\d+\n/, from)
    }
    assert.doesNotMatch(monohull.output(), /worker ready|command received|error/)
  })

  it('serves this machine, whatever the file says of balancers, hosts and HTTP/3', async t => {
    const monohull = startDev(t, {
      'server.cjs': server('here'),
      'monohull.yaml': `http3: true
tls: {required: true}
trusted_proxies: [10.0.0.0/8]
proxy_protocol: true
server_names: [shop.example]
unknown_host: "421"
`,
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'here development')
  })

  it('restarts the processes too', async t => {
    const monohull = startDev(t, {
      'server.cjs': server('one'),
      'queue.cjs': 'console.log("takes", require("./job.cjs")); setInterval(() => {}, 1000)\n',
      'job.cjs': 'module.exports = "apples"\n',
      'jobs/other.cjs': 'console.log("counts pears"); setInterval(() => {}, 1000)\n',
      'monohull.yaml': `processes:
  queue: {command: node queue.cjs}
  counter: {command: node other.cjs, directory: jobs}
`,
    })
    await monohull.serving()
    await monohull.seen(/watching \S+, jobs\/\n/)
    await monohull.seen(/queue\.1 \| takes apples\n/)
    const from = change(monohull, 'job.cjs', 'module.exports = "plums"\n')
    await monohull.seen(/queue\.1 \| takes plums\n/, from)
    await monohull.seen(/monohull \| restarted/, from)
    const other = change(monohull, 'jobs/other.cjs', 'console.log("counts figs"); setInterval(() => {}, 1000)\n')
    await monohull.seen(/counter\.1 \| counts figs\n/, other)
    await monohull.seen(/monohull \| restarted/, other)
    assert.doesNotMatch(monohull.output().slice(other), /queue\.1/, 'the one that changed only')
  })

  it('leaves certificates to production', async t => {
    const files = {
      'server.cjs': server('one'),
      'monohull.yaml': `tls:
  acme: {domains: [example.com]}
  on_demand: {ask: "http://127.0.0.1:9/"}
  hsts: true
  client_certificates: {ca: none.pem}
`,
    }
    const monohull = startDev(t, files)
    const { httpsPort } = await monohull.serving()
    assert.equal(httpsPort, undefined)
  })

  it('keeps the old version when the new one does not start, and recovers', async t => {
    const monohull = startDev(t, { 'server.cjs': server('good') })
    await monohull.serving()
    await monohull.seen(/watching/)
    const broken = change(monohull, 'server.cjs', 'this is no JavaScript\n')
    await monohull.seen(/app\.1 \| SyntaxError/, broken)
    await monohull.seen(/monohull \| the old version keeps serving\n/, broken)
    assert.equal((await monohull.request()).body, 'good development')
    assert.equal(monohull.output().match(/SyntaxError/g)?.length, 1, 'told once')
    change(monohull, 'server.cjs', server('fixed'))
    assert.deepEqual([...(await askUntil(monohull, /fixed/))], [200])
  })

  it('goes on when a process dies whose on_failure is exit', async t => {
    const monohull = startDev(t, {
      'server.cjs': server('one'),
      'queue.cjs': 'process.exit(6)\n',
      'monohull.yaml': 'processes: {queue: {command: node queue.cjs, on_failure: exit}}\n',
    })
    await monohull.serving()
    await monohull.seen(/process died process=queue\.1 .*decision="restarted after backoff"/)
    change(monohull, 'queue.cjs', 'console.log("takes", "apples"); setInterval(() => {}, 1000)\n')
    await monohull.seen(/queue\.1 \| takes apples/)
    assert.equal((await monohull.request()).status, 200)
  })

  it('waits for a change when the first start fails, and after a crash', async t => {
    const monohull = startDev(t, {
      'monohull.yaml': 'app: { on_failure: exit }\n',
      'server.cjs': 'process.exit(9)\n',
    })
    await monohull.serving()
    await monohull.seen(/worker died .*decision="left until the next change"/)
    await monohull.seen(/monohull \| waiting for a change\n/)
    assert.equal((await monohull.request()).status, 503)
    const crash = `${server('back')}setTimeout(() => { if (require('node:fs').existsSync('crash')) process.exit(8) }, 300)\n`
    change(monohull, 'server.cjs', crash)
    await askUntil(monohull, /back/)
    writeFileSync(join(monohull.folder, 'crash'), '')
    const from = change(monohull, 'server.cjs', `${crash}// again\n`)
    await monohull.seen(/worker died .*exit="exit code 8".*decision="left until the next change"/, from)
    await until('the page', async () => (await monohull.request()).status === 503)
    change(monohull, 'server.cjs', server('again'))
    await askUntil(monohull, /again/)
  })

  it('does not wait for a version that hangs when the next one is there', async t => {
    const monohull = startDev(t, { 'server.cjs': server('first') })
    await monohull.serving()
    await monohull.seen(/watching/)
    const from = change(monohull, 'server.cjs', 'console.log("hanging"); setInterval(() => {}, 1000)\n')
    await monohull.seen(/app\.1 \| hanging/, from)
    change(monohull, 'server.cjs', server('second'))
    assert.deepEqual([...(await askUntil(monohull, /second/))], [200])
  })

  it('reloads when its configuration or package.json changes, and names what is wrong in them', async t => {
    const monohull = startDev(
      t,
      {
        'monohull.yaml': 'https: redirect\napp: { workers: 4, env: { NODE_ENV: from-file } }\n',
        'package.json': '{"scripts":{"start":"node server.cjs"}}',
        'server.cjs': server('app'),
        'other.cjs': server('other'),
      },
      [],
    )
    await monohull.serving()
    await monohull.seen(/watching/)
    assert.equal((await monohull.request()).body, 'app from-file')
    const bad = change(monohull, 'monohull.yaml', 'app: { wrokers: 4 }\n')
    await monohull.seen(/changed: monohull\.yaml, reloading\n/, bad)
    await monohull.seen(/did you mean app\.workers\?/, bad)
    await monohull.seen(/the old version keeps serving/, bad)
    const fixed = change(monohull, 'monohull.yaml', 'app: { env: { NODE_ENV: fixed } }\n')
    await monohull.seen(/monohull \| reloaded ms=/, fixed)
    assert.equal((await monohull.request()).body, 'app fixed')
    change(monohull, 'package.json', '{"scripts":{"start":"node other.cjs"}}')
    assert.deepEqual([...(await askUntil(monohull, /other fixed/))], [200])
  })

  it('of several apps, restarts the one that was changed', async t => {
    const monohull = startDev(
      t,
      {
        'monohull.yaml': [
          'apps:',
          '  web: { directory: web, workers: 3, command: node server.cjs }',
          '  api: { directory: api, workers: 3, command: node server.cjs }',
          'routes: [{ path: /, app: web }, { path: /api, app: api }]',
        ].join('\n'),
        'web/server.cjs': server('web'),
        'api/server.cjs': server('api'),
      },
      [],
    )
    await monohull.serving()
    await monohull.seen(/watching web\/, api\//)
    const pidsOf = (app: string) =>
      monohull.instance().children.flatMap(({ name, pid }) => (name.startsWith(`${app}.`) ? pid : []))
    const [web, api] = [pidsOf('web'), pidsOf('api')]
    assert.deepEqual([web.length, api.length], [1, 1])
    change(monohull, 'api/server.cjs', server('changed'))
    await until('the change', async () => /changed/.test((await monohull.request({ path: '/api' })).body))
    await monohull.seen(/restarted/)
    assert.deepEqual(pidsOf('web'), web)
    assert.equal((await monohull.request()).body, 'web development')
  })

  it('a server that watches its files runs once, and stops before its replacement starts', async t => {
    const alone = `const fs = require('node:fs')
fs.writeFileSync('lock', String(process.pid), { flag: 'wx' })
process.on('exit', () => fs.rmSync('lock'))
process.on('SIGTERM', () => process.exit())
`
    const monohull = startDev(t, { 'vite.js': alone + server('first'), 'package.json': '{}' }, [
      'node',
      'vite.js',
      'dev',
    ])
    await monohull.serving()
    await monohull.seen(/watching monohull\.yaml and package\.json; app watches its files itself\n/)
    const pid = monohull.worker(1)
    change(monohull, 'vite.js', alone + server('second'))
    const from = change(monohull, 'package.json', '{"private":true}')
    await monohull.seen(/changed: package\.json, reloading\n(.*\n)*.*reloaded ms=/, from)
    assert.deepEqual([...(await askUntil(monohull, /second/))], [200])
    assert.notEqual(monohull.worker(1), pid)
    assert.doesNotMatch(monohull.output(), /EEXIST|worker died|vite\.js/)
  })

  it('says early that the server listens elsewhere, and not that old workers stay', async t => {
    const python =
      'import http.server\nhttp.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler).serve_forever()\n'
    const monohull = startDev(t, { 'server.py': python, 'monohull.yaml': 'app: { boot_timeout: 60s }\n' }, [
      'python3',
      'server.py',
    ])
    await monohull.seen(
      /warn: the worker does not listen on its socket, but on another port worker=app\.1 port=\d+ fix="set app\.listen: port/,
    )
    monohull.signal('SIGINT')
    await monohull.exited
    assert.doesNotMatch(monohull.output(), /old workers/)
  })

  it('an app that writes a file of its own at each start is not restarted for ever', async t => {
    const writes = `require('node:fs').writeFileSync('data.json', String(Date.now()))\n`
    const monohull = startDev(t, { 'server.cjs': server('one') })
    await monohull.serving()
    await monohull.seen(/watching/)
    change(monohull, 'server.cjs', writes + server('two'))
    await monohull.seen(/files change with every restart, .* files=data\.json/)
    const from = monohull.output().length
    for (const answer of ['three', 'four']) {
      change(monohull, 'server.cjs', writes + server(answer))
      await askUntil(monohull, new RegExp(answer))
    }
    assert.doesNotMatch(monohull.output().slice(from), / more, /)
  })

  it('TypeScript by tsx; packages, hidden folders and what the app writes are no change', async t => {
    const typed = (answer: string) =>
      `import http from 'node:http'\nimport { answer } from './src/answer.ts'\nhttp.createServer((_q, r) => r.end('${answer} ' + answer)).listen(3000)\n`
    const monohull = startDev(
      t,
      {
        'server.ts': typed('typed'),
        'src/answer.ts': "export const answer: string = 'one'\n",
        'node_modules/some/index.js': '',
        '.git/config.json': '',
        'uploads/picture.bin': '',
      },
      [join(import.meta.dirname, '../../node_modules/.bin/tsx'), 'server.ts'],
    )
    await monohull.serving()
    await monohull.seen(/watching/)
    for (const file of ['node_modules/some/index.js', '.git/config.json', 'uploads/picture.bin'])
      writeFileSync(join(monohull.folder, file), 'changed')
    change(monohull, 'src/answer.ts', "export const answer: string = 'two'\n")
    await askUntil(monohull, /typed two/)
    await monohull.seen(/restarted/)
    assert.deepEqual(monohull.output().match(/changed: .*/g), ['changed: src/answer.ts, restarting'])
  })

  it('runs without root, in a run folder of its own, on 8080 where 80 is not allowed', async t => {
    const folder = temporaryFolder(t, { 'monohull.yaml': 'http_port: 80\n', 'server.cjs': server('here') })
    chmodSync(folder, 0o1777)
    mkdirSync(join(folder, 'xdg'), { mode: 0o1777 })
    chmodSync(join(folder, 'xdg'), 0o1777)
    const isRoot = process.getuid?.() === 0
    // an address of this test's own: 8080 may be taken on others
    const address = `127.${(process.pid >> 16) & 255}.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`
    const env = {
      ...isolatedEnv(folder),
      MONOHULL_BIND_ADDRESSES: address,
      MONOHULL_HTTP_PORT: undefined,
      MONOHULL_RUN_DIR: undefined,
      MONOHULL_STATE_DIR: undefined,
      XDG_RUNTIME_DIR: join(folder, 'xdg'),
      HOME: folder,
    }
    const run = (...args: string[]) =>
      spawn(process.execPath, [launcher, ...args], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
      })
    const child = run('dev', 'node', 'server.cjs')
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const exited = once(child, 'exit')
    defer(t, async () => {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000)
      await exited
      clearTimeout(timer)
    })
    const mayBind80 = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1')) <= 80
    const port = mayBind80 ? 80 : 8080
    await until('it to serve', () => output.includes(`serving http://${address}:${port}, watching`), {
      details: () => output,
    })
    assert.equal(await (await fetch(`http://${address}:${port}/`)).text(), 'here development')
    const status = run('status')
    let shown = ''
    status.stdout.on('data', chunk => (shown += chunk))
    assert.equal((await once(status, 'close'))[0], 0)
    assert.match(shown, /app\.1 +serving/)
    child.kill('SIGINT')
    await exited
    assert.deepEqual(readdirSync(join(folder, 'xdg/monohull')), [])
  })
})
