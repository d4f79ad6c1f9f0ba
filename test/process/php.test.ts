// needs: php-fpm
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ask, needsRoot, type RequestOptions, startMonohull, temporaryFolder, until } from './monohull.ts'
import { answerOf, load, startPhp } from './php-app.ts'

describe('a directory with public/index.php is served by PHP-FPM', { concurrency: 3 }, () => {
  it('scripts, files, the front controller and what PHP learns about a request', async t => {
    const monohull = startPhp(
      t,
      'app: {php: {ini: {memory_limit: 99M}, max_children: 3}}\ntrusted_proxies: [127.0.0.2]\n',
    )
    await monohull.serving()
    const get = async (path: string, more: RequestOptions = {}) => monohull.request({ path, ...more })
    const { server, limit } = await answerOf(monohull, { path: '/deep/page?a=1&b=%20' })
    assert.equal(limit, '99M')
    const root = join(monohull.folder, 'public')
    const expected = {
      SCRIPT_FILENAME: join(root, 'index.php'),
      SCRIPT_NAME: '/index.php',
      PHP_SELF: '/index.php',
      DOCUMENT_ROOT: root,
      REQUEST_URI: '/deep/page?a=1&b=%20',
      QUERY_STRING: 'a=1&b=%20',
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
      REMOTE_ADDR: '127.0.0.1',
      SERVER_NAME: '127.0.0.1',
      SERVER_ADDR: '127.0.0.1',
      SERVER_SOFTWARE: 'nginx',
      SERVER_PORT: String(monohull.instance().httpsPort),
      HTTP_HOST: `127.0.0.1:${monohull.instance().httpsPort}`,
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(server[name], value, name)
    assert.equal(server.PATH_INFO, undefined)
    assert.match(server.REMOTE_PORT ?? '', /^\d+$/)
    assert.equal(server.HTTP_PROXY, undefined)

    const info = await answerOf(monohull, { path: '/index.php/blog/a%20b', headers: { Proxy: 'evil' } })
    assert.deepEqual(
      [info.server.SCRIPT_NAME, info.server.PATH_INFO, info.server.PHP_SELF, info.server.HTTP_PROXY],
      ['/index.php', '/blog/a b', '/index.php/blog/a b', undefined],
    )
    const proxied = await answerOf(monohull, {
      scheme: 'http',
      from: '127.0.0.2',
      headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' },
    })
    assert.deepEqual(
      [
        proxied.server.REMOTE_ADDR,
        proxied.server.HTTPS,
        proxied.server.SERVER_PORT,
        proxied.server.HTTP_X_FORWARDED_HOST,
      ],
      ['203.0.113.9', 'on', '443', 'shop.example'],
    )
    assert.equal((await get('/admin/')).body, 'admin /admin/index.php')
    const slash = await get('/admin?x=1')
    assert.deepEqual([slash.status, slash.headers.location?.replace(/^https:\/\/[^/]*/, '')], [301, '/admin/?x=1'])
    assert.equal((await get('/docs/')).body, 'documents')
    const form = 'x'
    const multipart = `--${form}\r\nContent-Disposition: form-data; name="photo"; filename="a.php"\r\n\r\n<?php\r\n--${form}--\r\n`
    const upload = {
      method: 'POST',
      body: multipart,
      headers: { 'Content-Type': `multipart/form-data; boundary=${form}` },
    }
    assert.deepEqual((await answerOf(monohull, upload)).files, ['photo'])
    assert.equal((await get('/?head=12000')).headers['x-long']?.length, 12_000)
    assert.equal((await get('/', { method: 'HEAD' })).status, 200)
  })

  it('nothing else is executed, and no source is sent', async t => {
    const monohull = startPhp(t, 'app: {php: {max_children: 3}}\n')
    const copies = [
      'index.php~',
      'index.php.bak',
      'index.PHP.old',
      'index.php.swp',
      'index.php.',
      'index.php ',
      'a.inc.orig',
      '#index.php#',
    ]
    for (const name of copies) writeFileSync(join(monohull.folder, 'public', name), `<?php $password = 'SECRET';`)
    writeFileSync(join(monohull.folder, 'public/a.php.html'), 'a copy of a page')
    writeFileSync(join(monohull.folder, 'public/accel.php'), `<?php header('X-Accel-Redirect: ' . $_GET['to']);`)
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/a.php.html' })).body, 'a copy of a page')
    const image = await monohull.request({ path: '/photo.jpg' })
    assert.deepEqual([image.status, image.body], [200, `<?php echo 'executed';`])
    for (const path of [
      ...['/photo.jpg/x.php', '/photo.jpg/.php', '/photo.jpg%2Fx.php', '/photo.jpg%20/x.php', '/missing.php'],
      ...[
        '/link.php',
        '/link.php/x',
        '/UPPER.PHP',
        '/tool.inc',
        '/old.php5',
        '/page.phtml',
        '/app.phar',
        '/a.pht',
        '/app.phar/x.php',
        '/.env',
        '/docs/../.env',
      ],
      ...copies.map(name => `/${encodeURIComponent(name)}`),
      ...['/photo.jpg%00.php', '/index.php%00', '/index.php%00.jpg', '/..%2foutside.php', '/../outside.php'],
    ]) {
      const { status, body } = await ask(monohull.instance().httpsPort, { path, scheme: 'https' })
      assert.ok([400, 404].includes(status), `${path}: ${status} ${body.slice(0, 80)}`)
      assert.doesNotMatch(body, /<\?php|executed|outside|SECRET/, path)
    }
    // X-Accel-Redirect leads to what a request for the path would get
    const redirected = (to: string) => monohull.request({ path: `/accel.php?to=${to}` })
    assert.equal((await redirected('/docs/index.html')).body, 'documents')
    assert.equal((await redirected('/admin/index.php')).body, 'admin /admin/index.php')
    assert.equal((await redirected('/.env')).status, 404)
    // what exists nowhere is the front controller's, and a link leads nowhere
    for (const path of ['/passwd.txt', '//admin//nothing', '/photo.jpg/', '/index.php/../nothing'])
      assert.equal((await answerOf(monohull, { path })).server.SCRIPT_NAME, '/index.php', path)
    assert.equal((await monohull.request({ path: '//admin//index.php' })).body, 'admin /admin/index.php')
  })

  it('keys that PHP-FPM does not have are named', async t => {
    const checked = startMonohull(t, {
      folder: temporaryFolder(t, { 'index.php': '', 'monohull.yaml': 'app: {listen: port, protocol: uwsgi}' }),
      args: ['check'],
    })
    assert.notEqual(await checked.exited, 0)
    assert.match(
      checked.output(),
      /app\.listen: does not work with a PHP app[\s\S]*app\.protocol: does not work with a PHP app/,
    )
  })

  it('a route for a part of the app has rules of its own, and the paths of the app', async t => {
    const monohull = startPhp(
      t,
      `app: {php: {max_children: 2}}
routes:
  - {path: /, app: app}
  - {path: /login, app: app, headers: {X-Part: login}}
  - {path: /setup.php, app: app, headers: {X-Part: setup}}
  - {path: /docs, app: app, headers: {X-Part: docs}}
  - {path: /admin, app: app, allow: [192.0.2.1]}
  - {path: /secret.php, app: app, allow: [192.0.2.1]}\n`,
    )
    for (const name of ['setup', 'secret'])
      writeFileSync(join(monohull.folder, `public/${name}.php`), `<?php echo '${name} ', $_SERVER['SCRIPT_NAME'];`)
    await monohull.serving()
    for (const path of ['/login', '/login/', '/login/x?a=b']) {
      const { server } = await answerOf(monohull, { path })
      assert.deepEqual([server.SCRIPT_NAME, server.REQUEST_URI, server.PATH_INFO], ['/index.php', path, undefined])
    }
    assert.equal((await monohull.request({ path: '/login' })).headers['x-part'], 'login')
    const setup = await monohull.request({ path: '/setup.php' })
    assert.deepEqual([setup.body, setup.headers['x-part']], ['setup /setup.php', 'setup'])
    const docs = await monohull.request({ path: '/docs/' })
    assert.deepEqual([docs.body, docs.headers['x-part']], ['documents', 'docs'])

    const statusOf = async (path: string) =>
      (await ask(monohull.instance().httpsPort, { path, scheme: 'https' })).status
    for (const path of ['/admin/', '/admin/x', '/admin/index.php', '/secret.php', '/secret.php/x'])
      assert.equal(await statusOf(path), 403, path)
    for (const path of [
      ...['/index.php/admin', '/index.php//admin/x', '/index%2ephp/admin', '/index.php%2fadmin', '/index.php/%61dmin'],
      ...['/index.php/secret.php', '/docs/x.php/admin', '/index.php/admin?a=b'],
    ])
      assert.equal(await statusOf(path), 400, path)
    // nginx finds no route for the name with a newline, and it is not that of the script
    for (const path of ['/secret.php%0a', '/secret.php%0A?a=b']) assert.equal(await statusOf(path), 404, path)
    for (const path of ['/index.php/blog/1', '/index.php/administrator'])
      assert.equal((await answerOf(monohull, { path })).server.PATH_INFO, path.slice('/index.php'.length))
  })

  it('a script that PHP may not read is found at startup', { skip: needsRoot }, async t => {
    const folder = temporaryFolder(t, { 'index.php': '' })
    chmodSync(join(folder, 'index.php'), 0o600)
    const checked = startMonohull(t, { folder, args: ['check'] })
    assert.notEqual(await checked.exited, 0)
    assert.match(checked.output(), /app\.php: is not readable by \S+, the user PHP runs as, got ".*index\.php"/)
  })

  it('symbolic links and 404 instead of a front controller, by keys; below a path', async t => {
    const monohull = startPhp(
      t,
      `app: {command: public, php: {symlinks: true, front_controller: off, max_children: 2}}
routes: [{path: /shop, app: app}, {path: /login, match: exact, app: app}, {path: /shop/index.php, match: exact, app: app}]\n`,
    )
    await monohull.serving()
    const statusOf = async (path: string) => (await monohull.request({ path })).status
    assert.deepEqual(
      [await statusOf('/shop/link.php'), await statusOf('/shop/passwd.txt'), await statusOf('/shop/nothing')],
      [200, 200, 404],
    )
    assert.deepEqual(
      [await statusOf('/shop'), await statusOf('/index.php'), await statusOf('/shop/.env')],
      [308, 404, 404],
    )
    assert.equal((await answerOf(monohull, { path: '/shop/index.php' })).server.SCRIPT_NAME, '/shop/index.php')
    const { server } = await answerOf(monohull, { path: '/shop/index.php/a' })
    assert.deepEqual(
      [server.SCRIPT_NAME, server.PATH_INFO, server.SCRIPT_FILENAME],
      ['/shop/index.php', '/a', join(monohull.folder, 'public/index.php')],
    )
    assert.equal((await monohull.request({ path: '/shop/admin/' })).body, 'admin /shop/admin/index.php')
  })
})

describe('the life of PHP-FPM', { concurrency: 2 }, () => {
  it('rolls under GET and POST lose no request', async t => {
    const monohull = startPhp(t, 'app: {php: {max_children: 6}}\n')
    await monohull.serving()
    const both = load(monohull, ['GET', 'POST'])
    for (let roll = 0; roll < 3; roll++) {
      const before = monohull.worker(1)
      const from = monohull.output().length
      const slow = answerOf(monohull, { path: '/?ms=700', method: 'POST', body: 'kept' })
      monohull.signal('SIGUSR2')
      await monohull.workerAfter(1, before)
      await monohull.seen(new RegExp(`worker stopped worker=app\\.1 pid=${before} exit="exit code 0"`), from)
      assert.equal((await slow).body, 'kept')
    }
    assert.deepEqual(await both.stop(), [])
    assert.ok(both.count() > 30, String(both.count()))
  })

  it('its output is in the log, and its last lines in the record of its death', async t => {
    const monohull = startPhp(t, 'app: {max_requests: 3, php: {max_children: 1}}\n')
    await monohull.serving()
    const { pid, user } = await answerOf(monohull, { path: '/?log=from+PHP' })
    await monohull.seen(/app\.1\[\d+\] stderr\| NOTICE: PHP message: from PHP/)
    if (process.getuid?.() === 0) assert.notEqual(user, 0)
    // max_requests: FPM replaces the process
    await until('another process', async () => (await answerOf(monohull)).pid !== pid)
    const before = monohull.worker(1)
    process.kill(before, 'SIGKILL')
    await monohull.seen(new RegExp(`worker died worker=app\\.1 pid=${before} [\\s\\S]*PHP message: from PHP`))
  })

  it('with a php-fpm.conf of its own, whatever it listens on', async t => {
    const pool = `[www]\nlisten = /run/php/www.sock\npm = static\npm.max_children = 2\ncatch_workers_output = yes\nphp_admin_value[memory_limit] = 77M\n`
    const monohull = startPhp(t, 'app: {php: {config: fpm.conf}}\n')
    writeFileSync(
      join(monohull.folder, 'fpm.conf'),
      `[global]\nerror_log = /dev/null\nprocess_control_timeout = 8s\ninclude = ${monohull.folder}/pool.d/*.conf\n`,
    )
    mkdirSync(join(monohull.folder, 'pool.d'))
    writeFileSync(join(monohull.folder, 'pool.d/www.conf'), pool)
    await monohull.serving()
    assert.equal((await answerOf(monohull)).limit, '77M')
    writeFileSync(join(monohull.folder, 'pool.d/www.conf'), pool.replace('/run/php/www.sock', '9000'))
    monohull.signal('SIGHUP')
    await monohull.seen(/app\.php\.config[\s\S]*listens on 9000[\s\S]*listen = \/proc\/monohull\.sock/)
    assert.equal((await answerOf(monohull)).limit, '77M')
    assert.match(readFileSync(join(monohull.folder, 'output.log'), 'utf8'), /reload abandoned/)
  })
})
