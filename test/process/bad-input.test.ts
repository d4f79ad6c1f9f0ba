import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { launcher } from './built.ts'
import { fixture, isolatedEnv, type StartOptions, startMonohull, temporaryFolder } from './monohull.ts'
import { takenPort } from './taken-port.ts'

const hello = fixture('hello.cjs')

interface Case extends StartOptions {
  name: string
  code: number
  says: RegExp
}

const dnsHook = (command: string) => `tls: { acme: { domains: [one.test], challenge: dns-01, dns_hook: ${command} } }\n`

const cases: Case[] = [
  {
    name: 'an unknown key',
    files: { 'monohull.yaml': 'wrokers: 4\napp: { wrokers: 4 }\n' },
    code: 78,
    says: /app\.wrokers: is not a known key\s+from: .*monohull\.yaml:2\s+fix: +did you mean app\.workers\?/,
  },
  {
    name: 'a list of jobs',
    files: { 'monohull.yaml': 'jobs: [{ name: report, schedule: "@daily", command: node report.js }]\n' },
    code: 78,
    says: /jobs: expected jobs by name, such as report: \{schedule: /,
  },
  {
    name: 'a YAML syntax error',
    files: { 'monohull.yaml': 'https: on\napp: [\n' },
    code: 78,
    says: /monohull\.yaml:\d: is not valid YAML/,
  },
  {
    // test/unit/site/config-problems.test.ts has other values
    name: 'MONOHULL_WORKERS=four',
    env: { MONOHULL_WORKERS: 'four' },
    code: 78,
    says: /app\.workers: expected a whole number from 1 to 1024, auto, or \{min: 2, max: 8\}, got .*\s+from: MONOHULL_WORKERS/,
  },
  {
    name: 'an unknown variable',
    env: { MONOHULL_WORKRES: '4' },
    code: 78,
    says: /MONOHULL_WORKRES: is not a variable of monohull[\s\S]*did you mean MONOHULL_WORKERS\?/,
  },
  {
    name: 'a missing --config file',
    args: ['run', '--config', 'nowhere.yaml'],
    code: 78,
    says: /--config: ENOENT.*nowhere\.yaml/,
  },
  {
    name: 'a configuration file with another ending',
    files: { 'monohull.yml': 'https: off\n' },
    code: 78,
    says: /monohull\.yml: is ignored\s+from: .*\s+fix: +rename it to monohull\.yaml, or name it with --config/,
  },
  {
    name: 'an unknown flag',
    args: ['run', '--wrokers', '3'],
    code: 64,
    says: /unknown option '--wrokers'\n {2}fix: did you mean --workers\?/,
  },
  { name: 'an unknown subcommand', args: ['rnu'], code: 64, says: /unknown command 'rnu'/ },
  {
    name: 'a command that is not there',
    args: ['run', 'nonesuch'],
    code: 78,
    says: /app\.command: was not found, got "nonesuch"/,
  },
  ...['Europe/Berln', 'GMT+3', '/etc/localtime'].map(TZ => ({
    name: `a restart in local time, and TZ=${TZ}`,
    args: ['run', 'node', hello],
    env: { TZ, MONOHULL_RESTART: '0 4 * * *' },
    code: 78,
    says: new RegExp(
      `app\\.restart: is in local time, and TZ=${TZ.replace('+', '\\+')} is not a time zone, got "0 4 .*\\s.*\\s+fix: +set TZ`,
    ),
  })),
  {
    name: 'a dns_hook that is not there',
    args: ['check'],
    files: { 'monohull.yaml': dnsHook('./set-dns.sh --quick') },
    code: 78,
    says: /tls\.acme\.dns_hook: was not found, got "\.\/set-dns\.sh"\s+from: this machine\s+fix: +install it .* searched \//,
  },
  {
    name: 'a dns_hook that may not be run',
    files: { 'monohull.yaml': dnsHook('./set-dns.sh'), 'set-dns.sh': '#!/bin/sh\n' },
    code: 78,
    says: /tls\.acme\.dns_hook: is not executable, got "\/.*\/set-dns\.sh"\s+from: this machine\s+fix: +chmod \+x/,
  },
  {
    name: 'a script that package.json does not have',
    args: ['run', 'npm', 'run', 'serve'],
    files: { 'package.json': '{"scripts":{"start":"x"}}' },
    code: 78,
    says: /package\.json has no script serve[\s\S]*available: start/,
  },
  {
    name: 'a user that does not exist',
    env: { MONOHULL_USER: 'nobody-here' },
    code: 78,
    says: /app\.user: is not a user of this system/,
  },
  {
    name: 'an app that exits at once',
    args: ['run', 'node', fixture('exits.cjs')],
    code: 3,
    says: /worker died .*exit code 3[\s\S]*the last words of the app/,
  },
  {
    name: 'an app that never listens',
    args: ['run', 'node', fixture('silent.cjs')],
    env: { MONOHULL_BOOT_TIMEOUT: '600ms' },
    code: 1,
    says: /did not listen within boot_timeout 600ms; let it listen on file descriptor 3/,
  },
  {
    name: 'an app that listens elsewhere',
    args: ['run', 'node', fixture('elsewhere.cjs')],
    env: { MONOHULL_BOOT_TIMEOUT: '600ms' },
    code: 1,
    says: /it listens on port \d+ instead/,
  },
  {
    name: 'an app whose command ends by itself',
    args: ['run', 'true'],
    code: 1,
    says: /it ended by itself before it listened; the command must stay in the foreground/,
  },
  {
    name: 'a broken nginx snippet',
    args: ['run', 'node', hello],
    files: { 'nginx/server.d/mine.conf': 'location /x {\n  nonsense on;\n}\n' },
    code: 78,
    says: /unknown directive .*nonsense.* in .*nginx\/server\.d\/mine\.conf:2/,
  },
  {
    name: 'a rewrite for an app that is a folder',
    args: ['check'],
    files: {
      'public/index.html': 'x',
      'monohull.yaml': 'routes: [{app: app, rewrite: {from: a, to: /b}, read_timeout: 3s}]\n',
    },
    code: 78,
    says: /routes\.0\.rewrite: requires an app with workers, and app is a directory of static files[\s\S]*routes\.0\.read_timeout: requires/,
  },
  {
    name: 'a folder of nginx snippets that is not there',
    args: ['check', 'node', hello],
    files: { 'monohull.yaml': 'nginx: { snippets: nowhere }\n' },
    code: 78,
    says: /nginx\.snippets: is not a directory, got ".*\/nowhere"/,
  },
  ...['run', 'check'].flatMap(command =>
    [
      ['a route', '{path: "^/a(", match: regex, app: app}'],
      ['a rewrite', '{path: /a, app: app, rewrite: {from: "^/a(", to: /}}'],
    ].map(([what, route]) => ({
      name: `a regular expression of ${what} that is none (${command})`,
      args: [command, 'node', hello],
      files: { 'monohull.yaml': `routes: [{path: /, app: app}, ${route}]\n` },
      code: 78,
      says: /nginx refuses the configuration: .*\^\/a\(.* \(routes\[1\]\)/,
    })),
  ),
  {
    name: 'a run folder that is a file',
    env: { MONOHULL_RUN_DIR: '/etc/passwd/run' },
    code: 78,
    says: /cannot write to run_dir/,
  },
  ...['run', 'check'].map(command => ({
    name: `a state folder below a file (${command})`,
    args: [command, 'node', hello],
    env: { MONOHULL_STATE_DIR: '/etc/passwd/state' },
    code: 78,
    says: /state_dir: is not a directory: \/etc\/passwd is a file, got "\/etc\/passwd\/state"\s+from: .*\s+fix: +name a directory/,
  })),
  {
    name: 'a port of the platform that is none',
    args: ['check', 'node', hello],
    env: { DYNO: 'web.1', PORT: '99999', MONOHULL_HTTP_PORT: undefined },
    code: 78,
    says: /http_port: expected a port from 0 to 65535, got 99999\s+from: PORT/,
  },
  {
    name: 'a run folder in which no worker can have its socket',
    args: ['run', 'node', hello],
    files: { 'run/app-9.sock/mine': '' },
    code: 78,
    says: /error E\w+: .*app-9\.sock.* fix=[\s\S]*stopped code=78/,
  },
  {
    name: 'an address of another machine',
    args: ['run', 'node', hello],
    env: { MONOHULL_BIND_ADDRESSES: '203.0.113.7' },
    code: 78,
    says: /cannot listen on 203\.0\.113\.7: this machine has no such address/,
  },
]

describe('bad input ends with a clear error and the right code:', () => {
  for (const { name, code, says, ...options } of cases) {
    it(name, async t => {
      const monohull = startMonohull(t, options)
      assert.equal(await monohull.exited, code, monohull.output())
      assert.match(monohull.output(), says)
    })
  }

  it('a monohull.yaml that is a link to nowhere', async t => {
    const folder = temporaryFolder(t)
    symlinkSync('gone.yaml', join(folder, 'monohull.yaml'))
    const monohull = startMonohull(t, { folder })
    assert.equal(await monohull.exited, 78, monohull.output())
    assert.match(monohull.output(), /monohull\.yaml: ENOENT[\s\S]*name a readable file/)
  })

  for (const command of ['run', 'check'])
    it(`a monohull.yaml that is a pipe, which nobody writes to (${command})`, async t => {
      const folder = temporaryFolder(t)
      execFileSync('mkfifo', [join(folder, 'monohull.yaml')])
      const monohull = startMonohull(t, { folder, args: [command] })
      assert.equal(await monohull.exited, 78, monohull.output())
      assert.match(monohull.output(), /monohull\.yaml: is not a regular file[\s\S]*name a readable file/)
    })

  it('a pipe or device in place of a secret, a password file, nginx.conf or a CA', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `basic_auth: { file: pipe }
nginx: { config: pipe }
tls: { client_certificates: { ca: pipe }, acme: { domains: [one.test], ca_file: /dev/zero } }
app: { env: { KEY: { file: pipe } } }
`,
    })
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const monohull = startMonohull(t, { folder, args: ['check', 'node', hello] })
    assert.equal(await monohull.exited, 78, monohull.output())
    for (const key of ['basic_auth.file', 'nginx.config', 'tls.client_certificates.ca', 'tls.acme.ca_file', 'KEY'])
      assert.match(monohull.output(), new RegExp(`${key.replaceAll('.', '\\.')}: is not a regular file`), key)
    const secret = startMonohull(t, { args: ['check'], env: { MONOHULL_ADMIN_TOKEN_FILE: '/dev/zero' } })
    assert.equal(await secret.exited, 78, secret.output())
    assert.match(
      secret.output(),
      /admin\.token: is not a regular file, got "\/dev\/zero"\s+from: MONOHULL_ADMIN_TOKEN_FILE/,
    )
  })

  it('a command that is not executable', async t => {
    const folder = temporaryFolder(t, { 'server.py': 'x' })
    chmodSync(join(folder, 'server.py'), 0o644)
    const monohull = startMonohull(t, { folder, args: ['run', './server.py'] })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /app\.command: is not executable[\s\S]*chmod \+x/)
  })

  it('a port that is taken, and by whom', async t => {
    const port = await takenPort(t)
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { MONOHULL_HTTP_PORT: String(port) } })
    assert.equal(await monohull.exited, 78)
    assert.match(
      monohull.output(),
      new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken by \\S+ \\(pid ${process.pid}\\)`),
    )
  })

  it('an app that listens twice: the second time is named', async t => {
    const port = await takenPort(t)
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('twice.cjs')],
      env: { SECOND_PORT: String(port) },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'first')
    await monohull.seen(/the app listens a second time \(\d+\); nginx passes requests to its first listen\(\) only/)
    await monohull.seen(/that port is taken.*listen on port 0, or set workers: 1/)
  })
})

describe('output for a reader behind a pipe', () => {
  it('is complete, however long', t => {
    const folder = temporaryFolder(t)
    const keys = Array.from({ length: 3000 }, (_, index) => `unknown_${index}: 1\n`)
    writeFileSync(join(folder, 'monohull.yaml'), keys.join(''))
    const output = execFileSync('sh', ['-c', '"$0" "$1" check --json | cat', process.execPath, launcher], {
      cwd: folder,
      env: isolatedEnv(folder),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    assert.equal(JSON.parse(output).problems.length, keys.length)
  })
})
