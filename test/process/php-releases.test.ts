// needs: php-fpm
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { chooseFpm } from '../../supervisor/processes/php-site.ts'
import { freePorts } from './free-ports.ts'
import { defer, needsRoot, startMonohull, temporaryFolder, until } from './monohull.ts'
import { answerOf, startPhp } from './php-app.ts'

const opcache = 'ini: {opcache.enable: true, opcache.validate_timestamps: false}'

/** Folder with two releases of an app, and a link `current` to the first. */
function makeReleases(t: TestContext): { folder: string; release(number: number): void } {
  const folder = temporaryFolder(t)
  for (const number of [1, 2]) {
    const root = join(folder, `releases/${number}/public`)
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, '../part.php'), `<?php return 'part ${number}';`)
    writeFileSync(
      join(root, 'index.php'),
      `<?php echo 'release ${number}, ', require __DIR__ . '/../part.php', ' ', $_SERVER['DOCUMENT_ROOT'];`,
    )
    writeFileSync(join(root, 'page.txt'), `page ${number}`)
  }
  symlinkSync('releases/1', join(folder, 'current'))
  return {
    folder,
    release(number) {
      symlinkSync(`releases/${number}`, join(folder, 'next'))
      renameSync(join(folder, 'next'), join(folder, 'current'))
    },
  }
}

describe('releases behind a symbolic link', () => {
  // php/frankenphp#2266, and opcache with fastcgi_param SCRIPT_FILENAME $document_root…
  it('a new one runs from the moment the link leads to it, whole, without a restart; a reload changes nothing', async t => {
    const { folder, release } = makeReleases(t)
    writeFileSync(join(folder, 'monohull.yaml'), `app: {command: current, php: {max_children: 2, ${opcache}}}\n`)
    const monohull = startMonohull(t, { folder, env: { MONOHULL_WORKERS: '1', MONOHULL_MIN_UPTIME: '0s' } })
    await monohull.serving()
    const both = async () =>
      (await Promise.all(['/', '/page.txt'].map(path => monohull.request({ path })))).map(({ body }) => body)
    const seen = (number: number) => [
      `release ${number}, part ${number} ${join(folder, `releases/${number}/public`)}`,
      `page ${number}`,
    ]
    const former = new Set<string>()
    const all = Array.from({ length: 8 }, both)
    for (const [page = ''] of await Promise.all(all)) former.add(page)
    assert.deepEqual([...former], [seen(1)[0]])
    release(2)
    for (let count = 0; count < 8; count++) assert.deepEqual(await both(), seen(2))
    release(1)
    assert.deepEqual(await both(), seen(1), 'and back')
    release(2)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.deepEqual(await both(), seen(2))
  })
})

describe('request bodies without a length', () => {
  it('arrive whole; a route that does not store them rejects them, for PHP-FPM would see none', async t => {
    const monohull = startPhp(
      t,
      'app: {php: {max_children: 2}}\nroutes: [{path: /, app: app}, {path: /direct, app: app, request_buffering: off}]\n',
    )
    await monohull.serving()
    const body = 'x'.repeat(200_000)
    const chunked = { method: 'POST', body, headers: { 'Transfer-Encoding': 'chunked' } }
    const stored = await answerOf(monohull, { path: '/form', ...chunked })
    assert.deepEqual([stored.body.length, stored.server.CONTENT_LENGTH], [body.length, String(body.length)])
    assert.equal((await monohull.request({ path: '/direct', ...chunked })).status, 411)
    const sized = await answerOf(monohull, {
      path: '/direct',
      method: 'POST',
      body,
      headers: { 'Content-Length': body.length },
    })
    assert.equal(sized.body.length, body.length)
    await answerOf(monohull, { path: '/direct' })
  })
})

describe('reports from the trackers of other images', () => {
  it('TrafeX/docker-php-nginx#82: the redirect to a directory keeps scheme and port of the outer proxy', async t => {
    const monohull = startPhp(t, 'app: {php: {max_children: 2}}\ntrusted_proxies: [127.0.0.2]\n')
    mkdirSync(join(monohull.folder, 'public/.well-known'))
    writeFileSync(join(monohull.folder, 'public/.well-known/security.txt'), 'Contact: mailto:a@example.com')
    await monohull.serving()
    const { status, headers } = await monohull.request({
      scheme: 'http',
      from: '127.0.0.2',
      path: '/admin?a=b',
      headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' },
    })
    assert.deepEqual([status, headers.location], [301, '/admin/?a=b'])
    // serversideup/docker-php#469: dot files are hidden, and this directory is not
    const known = await monohull.request({ path: '/.well-known/security.txt' })
    assert.deepEqual([known.status, known.body], [200, 'Contact: mailto:a@example.com'])
    assert.equal((await answerOf(monohull, { path: '/.well-known/change-password' })).server.SCRIPT_NAME, '/index.php')
  })
})

/** PHP-FPM of a container of its own: on a TCP port, with the document root at another path. */
async function startFpm(t: TestContext, port: number): Promise<string> {
  const folder = temporaryFolder(t, {
    'fpm.conf': `[global]\nerror_log = /dev/null\n[www]\nlisten = 127.0.0.1:${port}\nuser = www-data\npm = static\npm.max_children = 2\n`,
    'html/index.php': `<?php echo json_encode(['body' => file_get_contents('php://input'), 'server' => $_SERVER]);`,
    'html/shop/index.php': `<?php echo 'shop ', $_SERVER['PATH_INFO'] ?? '';`,
    'html/photo.jpg': `<?php echo 'executed';`,
    'html/only-there.php': `<?php echo 'executed';`,
  })
  const program = join('/usr/sbin', chooseFpm(readdirSync('/usr/sbin')) ?? assert.fail('no PHP-FPM'))
  const child = spawn(program, ['--nodaemonize', '--fpm-config', join(folder, 'fpm.conf')], { stdio: 'ignore' })
  const exited = new Promise(resolve => child.once('exit', resolve))
  defer(t, async () => {
    child.kill('SIGTERM')
    await exited
  })
  await until('PHP-FPM to listen', () => {
    const socket = net.connect(port, '127.0.0.1')
    return new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    }).finally(() => socket.destroy())
  })
  return join(folder, 'html')
}

describe('PHP-FPM in a container of its own', { skip: needsRoot }, () => {
  it('runs the scripts below its root that are here too; nginx sends the files here', async t => {
    const [port = 0] = await freePorts(1)
    const remote = await startFpm(t, port)
    const folder = temporaryFolder(t)
    cpSync(remote, join(folder, 'public'), { recursive: true, filter: path => !path.endsWith('only-there.php') })
    writeFileSync(join(folder, 'public/page.txt'), 'a page')
    writeFileSync(
      join(folder, 'monohull.yaml'),
      `upstreams: {php: {servers: ['127.0.0.1:${port}'], protocol: fastcgi, php: {root: public, remote_root: ${remote}}}}
routes: [{path: /, upstream: php}, {path: /shop, upstream: php, headers: {X-Part: shop}}]\n`,
    )
    const monohull = startMonohull(t, { folder, env: { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: folder } })
    await monohull.serving()
    const { body, status } = await monohull.request({ path: '/blog/1?a=b', method: 'POST', body: 'sent' })
    assert.equal(status, 200, body)
    const answer = JSON.parse(body) as { body: string; server: Record<string, string> }
    const { SCRIPT_FILENAME, DOCUMENT_ROOT, SCRIPT_NAME, REQUEST_URI, PATH_INFO } = answer.server
    assert.deepEqual(
      [answer.body, SCRIPT_FILENAME, DOCUMENT_ROOT, SCRIPT_NAME, REQUEST_URI, PATH_INFO],
      ['sent', join(remote, 'index.php'), remote, '/index.php', '/blog/1?a=b', undefined],
    )
    const shop = await monohull.request({ path: '/shop/index.php/x' })
    assert.deepEqual([shop.body, shop.headers['x-part']], ['shop /x', 'shop'])
    assert.equal((await monohull.request({ path: '/page.txt' })).body, 'a page')
    assert.equal((await monohull.request({ path: '/photo.jpg' })).body, `<?php echo 'executed';`)
    for (const path of ['/photo.jpg/x.php', '/only-there.php', '/missing.php', '/index.php%00.jpg'])
      assert.ok([400, 404].includes((await monohull.request({ path })).status), path)
  })

  it('a root that is not here is a problem with its fix, and so is another protocol', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `upstreams:
  a: {servers: ['127.0.0.1:9'], protocol: fastcgi, php: {root: missing}}
  b: {servers: ['127.0.0.1:9'], protocol: fastcgi, php: {root: empty}}
routes: [{path: /a, upstream: a}, {path: /b, upstream: b}]\n`,
      'empty/page.txt': '',
    })
    const env = { MONOHULL_WORKERS: undefined }
    const checked = startMonohull(t, { folder, args: ['check'], env })
    assert.notEqual(await checked.exited, 0)
    assert.match(checked.output(), /upstreams\.a\.php\.root: is not a directory/)
    assert.match(checked.output(), /upstreams\.b\.php\.front_controller: does not exist in .*empty/)
    const other = startMonohull(t, {
      files: { 'monohull.yaml': `upstreams: {a: {servers: ['127.0.0.1:9'], php: {root: .}}}\n` },
      args: ['check'],
      env,
    })
    assert.notEqual(await other.exited, 0)
    assert.match(other.output(), /upstreams\.a\.php: is for PHP-FPM, and the servers speak http/)
  })
})
