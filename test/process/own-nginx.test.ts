import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { defer, fixture, startMonohull, until } from './monohull.ts'

const conf = (more = '') => `include rendered/main.conf;
events { worker_connections 64; }
http {
    include snippets/log-formats.conf;
    include snippets/maps.conf;
    include snippets/forwarded.conf;
    map $monohull_path $own { default own; }
    include rendered/http.conf;
${more}}
`

const yaml = `https: off
nginx: { config: own.conf }
app: { command: [node, ${fixture('hello.cjs')}] }
routes: [{ app: app }, { path: /up, app: app, snippet: nginx/up.conf }]
`
const files = { 'monohull.yaml': yaml, 'nginx/up.conf': 'add_header X-Up $own;\n' }

/** Of a process, which may be gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** What `monohull check` says. */
async function check(t: TestContext, own: Record<string, string>): Promise<string> {
  const checked = startMonohull(t, { args: ['check'], files: { ...files, ...own } })
  assert.equal(await checked.exited, 78)
  return checked.output()
}

describe('nginx directives of the user', () => {
  it('take the place of nginx.conf, and stand in a location', async t => {
    const monohull = startMonohull(t, { files: { ...files, 'own.conf': conf() } })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/up/x' })).headers['x-up'], 'own')
    assert.equal((await monohull.request({ path: '/upper' })).headers['x-up'], undefined)

    writeFileSync(join(monohull.folder, 'own.conf'), conf('    no_such_thing on;\n'))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned[\s\S]*unknown directive \\"no_such_thing\\" in \S+\/own\.conf:9/)
    assert.equal((await monohull.request()).status, 200)
  })

  it('that listen where somebody else does end the start as something that is in the way', async t => {
    const taken = createServer().listen(0, '127.0.0.1')
    defer(t, () => taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const own = conf(`    server { listen 127.0.0.1:${port}; }\n`)
    const monohull = startMonohull(t, { files: { ...files, 'own.conf': own } })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), new RegExp(`bind\\(\\) to 127\\.0\\.0\\.1:${port} failed`))
  })

  it('that only a start would refuse are no more once the reload is abandoned', async t => {
    const taken = createServer().listen(0, '127.0.0.1')
    defer(t, () => taken.close())
    await once(taken, 'listening')
    const monohull = startMonohull(t, { files: { ...files, 'own.conf': conf() } })
    await monohull.serving()
    const { port } = taken.address() as AddressInfo
    writeFileSync(join(monohull.folder, 'own.conf'), conf(`    server { listen 127.0.0.1:${port}; }\n`))
    monohull.signal('SIGHUP')
    // nginx tries for a while, and says nothing to whoever asked
    await until('the reload to be abandoned', () => /reload abandoned.*did not apply/.test(monohull.output()), {
      deadlineMs: 60_000,
    })
    const before = monohull.nginx()
    process.kill(before, 'SIGKILL')
    await monohull.seen(/nginx is back/)
    await until('another nginx', () => monohull.nginx() !== before)
    assert.equal((await monohull.request()).status, 200)
  })

  it('take effect on a reload, and not when nginx is reloaded for another reason', async t => {
    const snippet = (text: string) => `location /own { return 200 ${text}; }\n`
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off\napp: { command: [node, ${fixture('hello.cjs')}], workers: 1, listen: port }\n`,
        'nginx/server.d/a.conf': snippet('one'),
      },
      env: { MONOHULL_WORKERS: undefined },
    })
    await monohull.serving()
    const own = async () => (await monohull.request({ path: '/own' })).body
    assert.equal(await own(), 'one')
    for (const text of [snippet('two'), 'half a direc']) {
      writeFileSync(join(monohull.folder, 'nginx/server.d/a.conf'), text)
      // the next worker has another port, which nginx is reloaded with
      const before = monohull.worker(1)
      const from = monohull.output().length
      process.kill(before, 'SIGKILL')
      await monohull.seen(/worker ready worker=app\.1/, from)
      await until('the next worker', async () => {
        const { status, body } = await monohull.request()
        return status === 200 && JSON.parse(body).pid !== before
      })
      assert.equal(await own(), 'one')
    }
    const from = monohull.output().length
    writeFileSync(join(monohull.folder, 'nginx/server.d/a.conf'), snippet('two'))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/, from)
    assert.equal(await own(), 'two')
  })

  it('are named by file and line when nginx refuses them', async t => {
    const line = /unknown directive "no_such" in \S+/
    const own = await check(t, { 'own.conf': conf('    no_such 1;\n') })
    assert.match(line.exec(own)?.[0] ?? own, /\/own\.conf:9$/)
    const location = await check(t, { 'own.conf': conf(), 'nginx/up.conf': '# fine\nno_such 1;\n' })
    assert.match(line.exec(location)?.[0] ?? location, /\/nginx\/up\.conf:2$/)
  })

  it('that stand in the http block already have another place', async t => {
    const output = await check(t, { 'own.conf': conf(), 'nginx/http.d/a.conf': 'gzip off;\n' })
    assert.match(output, /"gzip" directive is duplicate in \S+\/http\.d\/a\.conf:1/)
    assert.match(output, /fix: {2}set gzip in a file in server\.d, or with a configuration key/)
    const server = await check(t, { 'own.conf': conf(), 'nginx/server.d/a.conf': 'gzip off;\ngzip off;\n' })
    assert.match(server, /server\.d\/a\.conf:2[\s\S]*fix: {2}fix what the message names/)
  })

  it('are named so too when they use a variable or zone that is none, of which nginx tells no place', async t => {
    const unknown = /"nope"( variable| is unknown)? in \S+/
    for (const [name, text] of [
      ['nginx/up.conf', '# $nope\nadd_header X-Up $nope;\n'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is nginx's
      ['nginx/server.d/a.conf', 'set $nope_1 1;\nlocation /a { return 200 "${nope}"; }\n'],
      ['nginx/http.d/b.conf', '#\nlimit_req zone=nope burst=5;\n'],
      ['nginx/server.d/c.conf', 'location /c { limit_conn nope 5; }\n'],
      ['nginx/up.conf', '\n\nproxy_cache nope;\n'],
      ['own.conf', conf('    map $nope $other { default 1; }\n').replace('map $m', '\nmap $m')],
    ] as const) {
      const output = await check(t, { 'own.conf': conf(), [name]: text })
      const line = text.split('\n').findIndex(one => /^[^#]*\bnope\b/.test(one)) + 1
      assert.ok((unknown.exec(output)?.[0] ?? '').endsWith(`/${name}:${line}`), output)
    }
  })

  it('are refused without the lines that nginx would not miss', async t => {
    const text = conf().replace('include rendered/main.conf;', '# include rendered/main.conf;')
    assert.match(await check(t, { 'own.conf': text }), /nginx\.config: does not include rendered\/main\.conf, got/)
    assert.match(await check(t, {}), /nginx\.config: cannot be read: ENOENT, got ".*own\.conf"/)
  })

  for (const name of ['log-formats', 'maps', 'forwarded']) {
    it(`are told where to look when they leave ${name} out`, async t => {
      const output = await check(t, { 'own.conf': conf().replace(`include snippets/${name}.conf;`, '') })
      assert.match(
        output,
        /fix: {2}include in \S+\/own\.conf all snippets that the nginx\.conf in docs\/guide\/routing\.md includes/,
      )
    })
  }

  it('that nginx cannot read to the end hold up no stop, and the test of them ends with it', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      files: { 'nginx/http.d/ok.conf': '# fine\n' },
    })
    await monohull.serving()
    // nginx waits for whoever writes into it
    const pipe = join(monohull.folder, 'waits.conf')
    execFileSync('mkfifo', [pipe])
    writeFileSync(join(monohull.folder, 'nginx/http.d/ok.conf'), `include ${pipe};\n`)
    monohull.signal('SIGHUP')
    const test = await until('the test', () =>
      childrenOf(monohull.process.pid ?? 0).find(pid => /\0-T\0/.test(commandLine(pid))),
    )
    monohull.signal('SIGINT')
    assert.equal(await monohull.exited, 0)
    assert.equal(existsSync(`/proc/${test}`), false)
    assert.doesNotMatch(monohull.output(), /nginx refuses/)
  })

  it('are shown by render in their place', async t => {
    const rendered = startMonohull(t, { args: ['render'], files: { ...files, 'own.conf': conf() } })
    assert.equal(await rendered.exited, 0)
    assert.equal(rendered.output().match(/# ---- nginx\.conf/g)?.length, 1)
    assert.match(rendered.output(), /# ---- nginx\.conf\n[^#]*\$own/)
    assert.match(rendered.output(), /# routes\[1\]\nlocation = \/up \{\n(?: {4}.*\n)*? {4}include .*nginx\/up\.conf/)
  })
})
