// needs: libnginx-mod-http-brotli-static
import assert from 'node:assert/strict'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fixture, type Monohull, type StartOptions, startMonohull } from './monohull.ts'

const echo = `command: [node, ${fixture('echo.cjs')}]`

/** Monohull over HTTP with these routes, and an app that tells what reached it. */
async function startRoutes(t: TestContext, routes: string, options: StartOptions = {}): Promise<Monohull> {
  const monohull = startMonohull(t, {
    ...options,
    files: { 'monohull.yaml': `https: off\napp: { ${echo}, workers: 1 }\nroutes:\n${routes}`, ...options.files },
  })
  await monohull.serving()
  return monohull
}

/** What reached the app. */
async function reached(monohull: Monohull, path: string): Promise<{ url: string; headers: Record<string, string> }> {
  const { status, body } = await monohull.request({ path, headers: { host: 'shop.test' } })
  assert.equal(status, 200, `${path}: ${body}`)
  return JSON.parse(body)
}

describe('routes to an app', () => {
  it('take an exact path before a regex, and that before the longest prefix', async t => {
    const answer = (text: string) => `response: { body: ${text} }`
    const monohull = await startRoutes(
      t,
      `  - { ${answer('root')} }
  - { path: /a, ${answer('prefix')} }
  - { path: /a/b/, ${answer('longer')} }
  - { path: /a, match: exact, ${answer('exact')} }
  - { path: '\\.php$', match: regex, ${answer('regex')} }
  - { path: '^/a/.*\\.php$', match: regex, ${answer('later')} }
  - { path: /a, host: b.test, ${answer('host')} }
  - { path: '(?i)\\.ASP$', match: regex, ${answer('any case')} }
  - { path: '^/re{2}/ "x;$', match: regex, ${answer('odd')} }
  - { path: '^/ü', match: regex, ${answer('umlaut')} }
  - { path: /w, host: '*.b.test', ${answer('wildcard')} }
  - { path: /c, host: c.b.test, ${answer('below')} }
`,
    )
    const cases: [string, string, string?][] = [
      ['/', 'root'],
      ['/ab', 'root'],
      ['/a', 'exact'],
      ['/a/', 'prefix'],
      ['/a/x', 'prefix'],
      ['/a/b', 'longer'],
      ['/a/b/c', 'longer'],
      ['/a/b/c.php', 'regex'],
      ['/a/x', 'host', 'b.test'],
      ['/a', 'exact', 'b.test'],
      ['/x.php', 'regex', 'b.test'],
      ['/x.PHP', 'root'],
      ['/x.aSp', 'any case'],
      ['/ree/%20%22x%3B', 'odd'],
      ['/%C3%BCber', 'umlaut'],
      ['/w', 'wildcard', 'd.e.b.test'],
      ['/w', 'root', 'b.test'],
      ['/w/x', 'wildcard', 'C.b.test:81'],
      ['/c', 'below', 'c.b.test'],
      ['/c', 'root', 'd.b.test'],
      ['/a', 'exact', 'c.b.test'],
    ]
    for (const [path, body, host = 'a.test'] of cases)
      assert.equal((await monohull.request({ path, headers: { host } })).body, body, host + path)
  })

  it('strip a prefix and rewrite a path, and leave the rest as the client wrote it', async t => {
    const monohull = await startRoutes(
      t,
      `  - { app: app }
  - { path: /api, app: app, strip_prefix: true }
  - { path: /old, app: app, rewrite: { from: '^/old/(\\d+)/(.*)$', to: '/new/$2/$1' } }
`,
    )
    const cases: [string, string][] = [
      ['/api', '/'],
      ['/api/', '/'],
      ['/api?x=1&y=%2F', '/?x=1&y=%2F'],
      ['/api/a%2Fb%20c//d%C3%A9?q=%26&r=a+b', '/a%2Fb%20c//d%C3%A9?q=%26&r=a+b'],
      ['/apix/api/y', '/apix/api/y'],
      ['/old/12/a%2Fb?x=1', '/new/a%2Fb/12?x=1'],
      ['/old/x', '/old/x'],
      ['/plain/a%2Fb//c?x=%2F', '/plain/a%2Fb//c?x=%2F'],
    ]
    for (const [path, url] of cases) assert.equal((await reached(monohull, path)).url, url, path)
    const { headers } = await reached(monohull, '/api/x')
    assert.deepEqual([headers['x-forwarded-prefix'], headers.host], ['/api', 'shop.test'])
    assert.equal((await monohull.request({ path: '/%61pi/x' })).status, 400)
  })

  it('lead Location headers back below a stripped prefix', async t => {
    const monohull = await startRoutes(t, '  - { path: /api, app: app, strip_prefix: true }\n')
    const cases: [string, string][] = [
      ['/login?next=%2F', '/api/login?next=%2F'],
      ['/api/login', '/api/login'],
      ['http://shop.test/login', 'http://shop.test/api/login'],
      ['https://shop.test/', 'https://shop.test/api/'],
      ['https://shop.test/api/login', 'https://shop.test/api/login'],
      ['http://shop.test/apix', 'http://shop.test/api/apix'],
      ['/apix', '/api/apix'],
      ['/api?x', '/api?x'],
      ['https://elsewhere.test/login', 'https://elsewhere.test/login'],
      ['//cdn.test/x', '//cdn.test/x'],
      ['next', 'next'],
    ]
    for (const [location, expected] of cases) {
      for (const path of ['/api', '/api/x']) {
        const asked = { path: `${path}?location=${encodeURIComponent(location)}`, headers: { host: 'shop.test' } }
        assert.equal((await monohull.request(asked)).headers.location, expected, `${path} ${location}`)
      }
    }
  })

  it('lead Refresh headers and the paths of cookies back, but not a cookie for everything', async t => {
    const monohull = await startRoutes(t, '  - { app: app }\n  - { path: /api, app: app, strip_prefix: true }\n')
    const cases: [string, string, string][] = [
      ['refresh', '5; url=/login', '5; url=/api/login'],
      ['refresh', '5; url=/api/login', '5; url=/api/login'],
      ['refresh', '5', '5'],
      ['set-cookie', 'a=b; Path=/admin; HttpOnly', 'a=b; Path=/api/admin; HttpOnly'],
      ['set-cookie', 'a=b; path=/api/admin', 'a=b; path=/api/admin'],
      ['set-cookie', 'a=b; Path=/api', 'a=b; Path=/api'],
      ['set-cookie', 'a=b; Path=/apix', 'a=b; Path=/api/apix'],
      ['set-cookie', 'a=b; Path=/', 'a=b; Path=/'],
      ['set-cookie', 'a=b', 'a=b'],
    ]
    for (const [name, value, expected] of cases) {
      const query = `?header=${encodeURIComponent(`${name}:${value}`)}`
      const told = async (path: string) => String((await monohull.request({ path: path + query })).headers[name])
      assert.deepEqual([await told('/api/x'), await told('/x')], [expected, value])
    }
  })

  it('wait as long for an answer as they say', async t => {
    const monohull = await startRoutes(t, '  - { app: app }\n  - { path: /short, app: app, read_timeout: 300ms }\n')
    const statusOf = async (path: string) => (await monohull.request({ path })).status
    assert.deepEqual([await statusOf('/short?ms=3000'), await statusOf('/long?ms=900')], [504, 200])
  })
})

describe('routes elsewhere', () => {
  it('redirect, with the path and the query when asked, and answer with a text', async t => {
    const monohull = await startRoutes(
      t,
      `  - { redirect: { to: 'https://new.test/', keep_path: true } }
  - { path: /blog, redirect: { to: 'https://blog.test/en/', status: 301, keep_path: true } }
  - { path: /docs, redirect: { to: /manual, status: 302 } }
  - { path: /was, redirect: { to: /, keep_path: true } }
  - { path: /price, match: exact, response: { status: 402, body: "{\\"costs\\": \\"$5 \\\\\\\\\\"}\\n", content_type: application/json } }
  - { path: /gone, response: { status: 410 } }
`,
    )
    const cases: [string, number, string][] = [
      ['/', 308, 'https://new.test/'],
      ['/a%2Fb?c=%20d', 308, 'https://new.test/a%2Fb?c=%20d'],
      ['/blog?x', 301, 'https://blog.test/en/?x'],
      ['/blog/a%2Fb/?y=1', 301, 'https://blog.test/en/a%2Fb/?y=1'],
      ['/docs/x?y', 302, '/manual'],
      ['/was', 308, '/'],
      ['/was/a//b?c', 308, '/a//b?c'],
      // not to another host
      ['/was//evil.test/x', 308, '/evil.test/x'],
      ['/was/\\\\/evil.test', 308, '/evil.test'],
    ]
    for (const [path, status, location] of cases) {
      const answer = await monohull.request({ path, method: 'POST' })
      assert.deepEqual([answer.status, answer.headers.location], [status, location], path)
    }
    const price = await monohull.request({ path: '/price' })
    assert.deepEqual([price.status, price.body], [402, '{"costs": "$5 \\\\"}\n'])
    assert.equal(price.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal((await monohull.request({ path: '/gone/x' })).status, 410)
  })

  it('answer with a text as long as there may be one, whatever is in it', async t => {
    const bodies = [`é☃\n${'x'.repeat(3994)}`, '"'.repeat(2000), '$'.repeat(222), '\\'.repeat(2000), "a'b #{;}\t$host"]
    const monohull = await startRoutes(
      t,
      bodies.map((body, index) => `  - { path: /${index}, response: { body: ${JSON.stringify(body)} } }\n`).join(''),
    )
    for (const [index, body] of bodies.entries()) {
      const answer = await monohull.request({ path: `/${index}` })
      assert.deepEqual([answer.status, answer.body], [200, body])
    }
  })

  it('answer what no route fits with 404', async t => {
    const monohull = await startRoutes(
      t,
      '  - { path: /api, app: app }\n  - { host: b.test, response: { body: b } }\n  - { path: /x, host: c.test, app: app }\n',
    )
    const cases: [string, string, number][] = [
      ['/api/x', 'a.test', 200],
      ['/', 'a.test', 404],
      ['/apix', 'a.test', 404],
      ['/apix', 'b.test', 200],
      ['/api', 'c.test', 200],
      ['/y', 'c.test', 404],
    ]
    for (const [path, host, status] of cases)
      assert.equal((await monohull.request({ path, headers: { host } })).status, status, host + path)
  })

  it('need no app, and then start none', async t => {
    const monohull = startMonohull(t, {
      files: { 'monohull.yaml': 'https: off\nroutes: [{ response: { body: fixed } }]' },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'fixed')
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    assert.deepEqual(
      monohull.instance().children.map(({ name }) => name),
      ['nginx'],
    )
  })
})

describe('routes to files', () => {
  const files = {
    'public/index.html': 'the page',
    'public/assets/app.3f2a.js': 'x'.repeat(2000),
    'public/sub/index.html': 'the sub page',
    'public/plain/a.txt': 'plain',
    'public/plain/main.html': 'the main page',
    'public/.env': 'SECRET=1',
    'public/sub/.git/config': 'secret',
    'public/.well-known/security.txt': 'Contact: x',
    'downloads/a b.txt': '0123456789',
    'outside.txt': 'outside',
  }
  const routes = `  - path: /
    files:
      root: public
      fallback: /index.html
      cache: { '/assets/**': 'public, max-age=31536000, immutable', '*.html': no-cache }
  - { path: /downloads, files: { root: downloads, listing: true } }
  - { path: /copy, files: { root: public, cache: { '/assets/*.js': max-age=5 } } }
  - { path: /spa/v2, files: { root: public, fallback: /sub/index.html, cache: { '/sub/*': no-cache } } }
  - { path: /all, files: { root: public, fallback: /index.html, fallback_for: all } }
  - { path: /main, files: { root: public/plain, index: main.html } }
  - { path: /assets/app.3f2a.js, match: exact, host: cdn.test, files: { root: public } }
`

  it('fall back for single-page apps, and cache by pattern', async t => {
    const monohull = await startRoutes(t, routes, { files })
    const cases: [string, number, string | undefined, string][] = [
      ['/', 200, 'no-cache', 'the page'],
      ['/deep/link?x=1', 200, 'no-cache', 'the page'],
      ['/v1.2', 200, 'no-cache', 'the page'],
      ['/all/assets/missing.js', 200, 'no-cache', 'the page'],
      ['/all/', 200, 'no-cache', 'the page'],
      ['/assets/app.3f2a.js', 200, 'public, max-age=31536000, immutable', 'x'.repeat(2000)],
      ['/sub/', 200, 'no-cache', 'the sub page'],
      ['/plain/a.txt', 200, undefined, 'plain'],
      ['/copy/assets/app.3f2a.js', 200, 'max-age=5', 'x'.repeat(2000)],
      ['/copy/plain/a.txt', 200, undefined, 'plain'],
      ['/.well-known/security.txt', 200, undefined, 'Contact: x'],
      ['/spa/v2/plain/a.txt', 200, undefined, 'plain'],
      ['/spa/v2/deep/link?x=1', 200, 'no-cache', 'the sub page'],
      ['/spa/v2/', 200, 'no-cache', 'the page'],
      ['/main/', 200, undefined, 'the main page'],
    ]
    for (const [path, status, cache, body] of cases) {
      const answer = await monohull.request({ path })
      assert.deepEqual([answer.status, answer.headers['cache-control'], answer.body], [status, cache, body], path)
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', path)
    }
    for (const path of ['/copy/sub', '/sub', '/spa/v2/sub']) {
      const moved = await monohull.request({ path: `${path}?x=1` })
      assert.deepEqual([moved.status, moved.headers.location], [301, `${path}/?x=1`])
    }
    for (const name of [
      'assets/missing.js',
      'missing.css',
      'a/b.png',
      'data.JSON',
      'page.html',
      'v.7z',
      'app.3f2a.js.map',
    ])
      for (const path of [`/${name}`, `/spa/v2/${name}?v=1`])
        assert.equal((await monohull.request({ path })).status, 404, path)
    assert.equal((await monohull.request({ path: '/copy/nothing' })).status, 404)
    const cdn = await monohull.request({ path: '/assets/app.3f2a.js', headers: { host: 'cdn.test' } })
    assert.deepEqual([cdn.status, cdn.headers['cache-control']], [200, undefined])
  })

  it('answer ranges, list when asked, and refuse what is hidden or linked', async t => {
    const monohull = await startRoutes(t, routes, { files })
    const range = await monohull.request({ path: '/downloads/a%20b.txt', headers: { range: 'bytes=2-4' } })
    assert.deepEqual([range.status, range.body], [206, '234'])
    const asked = await monohull.request({ path: '/downloads?x=1' })
    assert.deepEqual([asked.status, asked.headers.location], [308, '/downloads/?x=1'])
    assert.match((await monohull.request({ path: '/downloads/' })).body, /href="a%20b\.txt"/)
    assert.equal((await monohull.request({ path: '/copy/plain/' })).status, 403)
    symlinkSync('../outside.txt', join(monohull.folder, 'public/link.txt'))
    symlinkSync('..', join(monohull.folder, 'public/up'))
    for (const path of ['/.env', '/sub/.git/config', '/copy/.env', '/copy/link.txt', '/copy/up/outside.txt'])
      assert.ok([403, 404].includes((await monohull.request({ path })).status), path)
    for (const path of [
      '/link.txt',
      '/copy/%2e%2e/outside.txt',
      '/copy/..%2foutside.txt',
      '/downloads/%2e%2e/outside.txt',
    ])
      assert.doesNotMatch((await monohull.request({ path })).body, /outside/, path)
  })

  it('answer with files of any name', async t => {
    const names = ['a b', 'a$host', `a'q"`, 'a%20b', 'a;b{}', 'a#b?c', 'a+b:c', 'ü☃', 'a\\b', '...', 'a..b']
    const monohull = await startRoutes(t, '  - { path: /in, files: { root: public, listing: true } }\n', {
      files: Object.fromEntries(names.map(name => [`public/x${name}.txt`, name])),
    })
    for (const name of names)
      assert.equal((await monohull.request({ path: `/in/${encodeURIComponent(`x${name}.txt`)}` })).body, name)
    // and what it lists leads to them
    const { body } = await monohull.request({ path: '/in/' })
    const links = [...body.matchAll(/href="([^"]+\.txt)"/g)].map(([, link = '']) => link.replaceAll('&amp;', '&'))
    const listed = await Promise.all(links.map(async link => (await monohull.request({ path: `/in/${link}` })).body))
    assert.deepEqual(listed.sort(), [...names].sort())
  })

  it('send what is compressed already', async t => {
    const compressed = { 'public/assets/app.3f2a.js.gz': 'gzip', 'public/assets/app.3f2a.js.br': 'brotli' }
    const monohull = await startRoutes(t, routes, { files: { ...files, ...compressed } })
    const encodingOf = async (accepted: string) => {
      const { headers } = await monohull.request({
        path: '/copy/assets/app.3f2a.js',
        headers: { 'accept-encoding': accepted },
      })
      return headers['content-encoding']
    }
    assert.equal(await encodingOf('gzip'), 'gzip')
    assert.equal(await encodingOf('identity'), undefined)
    assert.equal(await encodingOf('br, gzip'), 'br')
  })

  it('say at the start, at a reload and in a check that the fallback is missing', async t => {
    const monohull = await startRoutes(t, '  - { files: { root: public, fallback: /spa.html } }\n', { files })
    await monohull.seen(
      /warn fallback file does not exist: .* key=routes\.0\.files\.fallback file=\S+\/public\/spa\.html fix=/,
    )
    assert.equal((await monohull.request({ path: '/deep/link' })).status, 404)
    const check = startMonohull(t, { folder: monohull.folder, args: ['check'] })
    assert.equal(await check.exited, 0)
    assert.match(
      check.output(),
      /monohull: warning: routes\.0\.files\.fallback: \S+\/public\/spa\.html does not exist;/,
    )

    writeFileSync(join(monohull.folder, 'public/spa.html'), 'the page')
    const from = monohull.output().length
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/, from)
    assert.doesNotMatch(monohull.output().slice(from), /fallback/)
    assert.equal((await monohull.request({ path: '/deep/link' })).body, 'the page')
    rmSync(join(monohull.folder, 'public/spa.html'))
    const later = monohull.output().length
    monohull.signal('SIGHUP')
    await monohull.seen(/warn fallback file does not exist/, later)
  })

  it('are refused when there is no such folder, and with it all else that is missing', async t => {
    const yaml = `routes:
  - { files: { root: nowhere } }
  - { path: /x, response: {}, snippet: nothing.conf }
`
    const monohull = startMonohull(t, { args: ['check'], files: { 'monohull.yaml': yaml } })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /routes\.0\.files\.root: is not a directory, got ".*nowhere"/)
    assert.match(monohull.output(), /routes\.1\.snippet: cannot be read: ENOENT, got ".*nothing\.conf"/)
  })
})
