import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toForwardAuth } from '../../../supervisor/front/choose-forward-auth.ts'
import { tlsName } from '../../../supervisor/upstreams/names.ts'
import { acceptedApps, refused, refusedOnce, yaml } from './load-config.ts'

const routesOf = (text: string) => acceptedApps(yaml(text)).routes
const targetOf = (keys: string) => routesOf(`routes: [{path: /x, ${keys}}]`)[0]?.target

describe('config: targets of routes', () => {
  it('are an app with its proxy options, or their defaults', () => {
    assert.deepEqual(targetOf('app: app'), {
      kind: 'app',
      name: 'app',
      stripsPrefix: false,
      rewrite: undefined,
      readTimeoutMs: undefined,
      buffering: undefined,
      headSize: undefined,
      spool: { storesBodies: true, responseSize: undefined },
    })
    assert.deepEqual(targetOf('app: app, strip_prefix: true, read_timeout: 5m, buffering: off'), {
      kind: 'app',
      name: 'app',
      stripsPrefix: true,
      rewrite: undefined,
      readTimeoutMs: 300_000,
      buffering: 'off',
      headSize: undefined,
      spool: { storesBodies: true, responseSize: undefined },
    })
  })

  it('are files, a redirect or a response, with their defaults', () => {
    assert.deepEqual(targetOf('files: {root: public}'), {
      kind: 'files',
      root: 'public',
      index: 'index.html',
      fallback_for: 'pages',
      cache: {},
      listing: false,
      symlinks: false,
    })
    assert.deepEqual(targetOf('redirect: {to: /y}'), { kind: 'redirect', to: '/y', status: 308, keep_path: false })
    assert.deepEqual(targetOf('response: {body: "$5"}'), {
      kind: 'response',
      status: 200,
      body: '$5',
      content_type: 'text/plain',
    })
  })

  it('are a page of monohull, for those who may read it', () => {
    const route = '{path: /m, internal: metrics'
    const guards = ['allow: [10.0.0.0/8]}', 'basic_auth: {file: users}}']
    for (const guard of guards)
      assert.deepEqual(acceptedApps(yaml(`routes: [${route}, ${guard}]`)).routes[0]?.target, {
        kind: 'internal',
        page: 'metrics',
      })
    acceptedApps(yaml(`allow: [10.0.0.1]\nroutes: [${route}}]`))
    acceptedApps(yaml(`tls: {client_certificates: {ca: ca.pem}}\nroutes: [${route}}]`))
    refusedOnce(yaml(`tls: {client_certificates: {ca: ca.pem, mode: optional}}\nroutes: [${route}}]`))
    refusedOnce(yaml(`basic_auth: {file: users}\nroutes: [${route}, basic_auth: off}]`))
  })

  it('make an app unnecessary, unless it has a command', () => {
    assert.deepEqual(acceptedApps(yaml('routes: [{files: {root: public}}]')).apps, {})
    assert.deepEqual(acceptedApps({ env: { MONOHULL_WORKERS: '2' }, ...yaml('routes: [{response: {}}]') }).apps, {})
    assert.deepEqual(Object.keys(acceptedApps(yaml('app: {command: x}\nroutes: [{response: {}}]')).apps), ['app'])
  })

  it('are behind an auth server that is an upstream, and whose sign-in page is not behind it', () => {
    const head = 'app: {command: x}\nupstreams: {auth: {servers: ["10.0.0.1:1"]}}\nroutes:\n'
    const guarded = (keys: string, more = '') => `{app: app, forward_auth: {upstream: auth, ${keys}}${more}}`
    const forward = acceptedApps(yaml(`${head}  - ${guarded('preset: authelia')}`)).routes[0]?.settings.forward_auth
    assert.deepEqual([forward?.preset, forward?.upstream], ['authelia', 'auth'])
    acceptedApps(yaml(`${head}  - ${guarded('preset: oauth2-proxy')}\n  - {path: /oauth2, upstream: auth}`))
    acceptedApps(yaml(`${head}  - ${guarded('preset: oauth2-proxy, sign_in: off')}`))
    acceptedApps(yaml(`${head}  - ${guarded('path: /a, sign_in: "https://in.test/?to={url}#x"')}`))
    acceptedApps(yaml(`${head}  - {path: /m, internal: metrics, forward_auth: {preset: authelia, upstream: auth}}`))
    const problems: [string, string, RegExp][] = [
      [guarded('preset: oauth2-proxy'), 'forward_auth.preset', /^sends browsers to \/oauth2\/sign_in, which is behind/],
      [guarded('path: /a, sign_in: /login'), 'forward_auth.sign_in', /^sends browsers to \/login/],
      [guarded('preset: authelia', ', cache: {}'), 'cache', /^conflicts with forward_auth/],
      ...['//x', 'javascript:x', 'https://x/{host}', '/a b', 'https://$host/'].map(
        (address): [string, string, RegExp] => [
          guarded(`path: /a, sign_in: "${address}"`),
          'forward_auth.sign_in',
          /^expected https/,
        ],
      ),
      ...['Host', 'X-Forwarded-For', 'Cookie', 'Content-Length', 'a_b'].map((name): [string, string, RegExp] => [
        guarded(`path: /a, copy_headers: [${name}]`),
        'forward_auth.copy_headers.0',
        /^expected a header/,
      ]),
    ]
    const other = head.replace('}}', '}, rpc: {servers: ["10.0.0.1:2"], protocol: grpc}}')
    const odd = refusedOnce(
      yaml(`${other}  - ${guarded('preset: authelia').replace('upstream: auth', 'upstream: rpc')}`),
    )
    assert.match(odd.problem, /^speaks grpc/)
    for (const [text, key, message] of problems) {
      const problem = refusedOnce(yaml(`${head}  - ${text}`))
      assert.equal(problem.key, `routes.0.${key}`)
      assert.match(problem.problem, message)
    }
  })

  it('are behind an auth server with a URL, for which there is an upstream', () => {
    const guard = (keys: string) => `{path: /${keys.length}, app: app, forward_auth: {${keys}}}`
    const head = 'upstreams: {auth: {servers: ["10.0.0.1:1"]}}\nroutes:\n  - {app: app}\n'
    const { upstreams, routes } = acceptedApps(
      yaml(
        `${head}  - ${guard('url: https://Auth.example.com/check?x=y')}\n  - ${guard('url: "http://[::1]:9091/", preset: authelia')}`,
      ),
    )
    const settings = routes.map(route => route.settings.forward_auth)
    const [named = '', address = ''] = ['https://auth.example.com:443', 'http://[::1]:9091']
    assert.deepEqual(
      settings.map(given => given && [given.upstream, given.path]),
      [undefined, [named, '/check?x=y'], [address, undefined]],
    )
    assert.deepEqual(Object.keys(upstreams), ['auth', named, address])
    const { servers, host, tls, protocol } = upstreams[named] ?? assert.fail()
    assert.deepEqual(servers, [{ host: 'auth.example.com', port: 443, weight: 1, isBackup: false }])
    assert.deepEqual([host, tls, protocol], ['auth.example.com', { name: 'auth.example.com', verify: true }, 'http'])
    assert.deepEqual([upstreams[address]?.host, upstreams[address]?.tls], ['[::1]:9091', undefined])
    const { server, ...preset } = settings[2] ?? assert.fail()
    assert.equal(server?.path, undefined)
    assert.equal(toForwardAuth({ ...preset, server }).path, '/api/authz/auth-request')
    for (const [keys, key, message] of [
      ['path: /x', 'upstream', /^is required without url/],
      ['url: https://a.test, upstream: auth', 'url', /^conflicts with upstream/],
      ['url: https://a.test/x, path: /x', 'path', /^conflicts with url/],
      ['url: https://10.0.0.1/x', 'url', /^has an address in place of a name/],
      ...['ftp://a', 'https://a:0/', 'https://u@a', 'http://10.1/', 'https://a/#x', 'a.test', 'https://a/$b'].map(
        (url): [string, string, RegExp] => [`url: "${url}"`, 'url', /^expected an http or https URL/],
      ),
    ] as [string, string, RegExp][]) {
      const problem = refusedOnce(yaml(`${head}  - ${guard(keys)}`))
      assert.equal(problem.key, `routes.1.forward_auth.${key}`)
      assert.match(problem.problem, message)
    }
    const loop = refusedOnce(yaml(`routes: [{app: app, forward_auth: {preset: oauth2-proxy, url: "http://a:4180"}}]`))
    assert.match(loop.fix ?? '', /^set forward_auth.upstream to an upstream/)
  })

  const wrong: [string, string, RegExp, RegExp][] = [
    ['{path: /x}', 'routes.0', /^has no target$/, /^set one of app, upstream, files, redirect, internal, response$/],
    [
      '{path: /m, internal: metrics}',
      'routes.0.internal',
      /^shows metrics to everyone$/,
      /^set basic_auth, allow, forward_auth or /,
    ],
    ['{path: /s, internal: status}', 'routes.0.internal', /^shows status to everyone$/, /./],
    ['{internal: metrics, allow: off}', 'routes.0.internal', /^shows metrics to everyone$/, /./],
    ['{internal: metrics, allow: [::1], cache: {}}', 'routes.0.cache', /^applies to routes to an app/, /./],
    ['{app: app, files: {root: x}}', 'routes.0.files', /^conflicts with app: a route has one target$/, /app, files/],
    ['{upstream: legacy}', 'routes.0.upstream', /^is not an upstream/, /^set upstreams\.legacy$/],
    ['{app: app, strip_prefix: true}', 'routes.0.strip_prefix', /^has no prefix to strip$/, /path/],
    ['{app: app, path: "^/x", match: regex, strip_prefix: true}', 'routes.0.strip_prefix', /^has no/, /rewrite/],
    ['{response: {}, read_timeout: 5s}', 'routes.0.read_timeout', /applies to routes to an app or upstream/, /^remove/],
    [
      '{path: /x, app: app, strip_prefix: true, rewrite: {from: x, to: /y}}',
      'routes.0.rewrite',
      /^conflicts/,
      /remove/,
    ],
    ['{app: app, rewrite: {from: x, to: "/y?z"}}', 'routes.0.rewrite.to', /without a query/, /./],
    ['{app: app, rewrite: {from: "*.php$", to: /x}}', 'routes.0.rewrite.from', /follows what it repeats/, /./],
    ['{app: app, rewrite: {from: x, to: "/$host"}}', 'routes.0.rewrite.to', /^expected a path/, /./],
    ['{path: /healthz, app: app}', 'routes.0.path', /^is health\.live_path/, /health\.live_path to off/],
    ['{path: /x/y z, match: exact, app: app}', 'routes.0.path', /^expected a path such as \/robots/, /./],
    ['{host: Bücher.test, app: app}', 'routes.0.host', /ASCII form of the host name, xn--bcher-kva\.test$/, /set /],
    ['{host: "*.ü.test", app: app}', 'routes.0.host', /ASCII form of the host name, \*\.xn--tda\.test/, /./],
    ['{host: "a.test:80", app: app}', 'routes.0.host', /^expected a host name such as/, /./],
    ['{redirect: {to: /café}}', 'routes.0.redirect.to', /^expected an address in ASCII/, /./],
    ['{redirect: {to: "https://x/$uri"}}', 'routes.0.redirect.to', /^expected https/, /./],
    ['{redirect: {to: "//x"}, match: regexp}', 'routes.0.match', /^expected prefix, exact or regex$/, /./],
    ['{redirect: {to: /y, status: 200}}', 'routes.0.redirect.status', /^expected 301/, /./],
    [
      '{path: ^/x, match: regex, redirect: {to: /y, keep_path: true}}',
      'routes.0.redirect.keep_path',
      /regular expression/,
      /./,
    ],
    ['{path: /x/, redirect: {to: /x, keep_path: true}}', 'routes.0.redirect.to', /^leads back to this/, /another path/],
    ['{redirect: {to: "https://x?a=b", keep_path: true}}', 'routes.0.redirect.to', /^has a query or/, /one of the two/],
    ['{redirect: {to: /}}', 'routes.0.redirect.to', /^leads back to this/, /another path/],
    ['{path: /x, redirect: {to: /x/y}}', 'routes.0.redirect.to', /^leads back to this/, /outside of this route/],
    ['{redirect: {to: /y}}', 'routes.0.redirect.to', /^leads back to this/, /add a route/],
    ['{path: /x/../y, app: app}', 'routes.0.path', /^can never match/, /without them/],
    ['{path: /x/., match: exact, app: app}', 'routes.0.path', /^can never match/, /without them/],
    ['{path: /.monohull/pages, app: app}', 'routes.0.path', /pages of monohull$/, /another path/],
    [
      '{app: app, rewrite: {from: "^/(x)(?:y)", to: /$2}}',
      'routes.0.rewrite.to',
      /^contains \$2, but from/,
      /parentheses/,
    ],
    ['{app: app, cache: {key: fixed}}', 'routes.0.cache.key', /nginx variables/, /./],
    ['{response: {status: 99}}', 'routes.0.response.status', /^expected a status/, /./],
    [
      '{response: {status: 302, body: /x}}',
      'routes.0.response.status',
      /^expected a status other than a redirect/,
      /./,
    ],
    [`{response: {body: ${'x'.repeat(4001)}}}`, 'routes.0.response.body', /^expected at most 4000 bytes/, /a file/],
    [`{response: {body: '${'"'.repeat(2001)}'}}`, 'routes.0.response.body', /^expected at most 4000 bytes/, /a file/],
    [`{response: {body: '${'$'.repeat(223)}'}}`, 'routes.0.response.body', /^expected at most 4000 bytes/, /a file/],
    ['{response: {content_type: "text; x"}}', 'routes.0.response.content_type', /^expected a media type/, /./],
    ['{files: {root: "a$b"}}', 'routes.0.files.root', /^expected a directory without/, /./],
    ['{files: {root: a, cache: {"*.js": "a; b"}}}', 'routes.0.files.cache.*.js', /^expected a Cache-Control/, /./],
    ['{files: {root: a, fallback: /../b.html}}', 'routes.0.files.fallback', /^expected a path below the root/, /./],
    ['{files: {roots: a, root: b}}', 'routes.0.files.roots', /not a known key/, /routes\.0\.files\.root\?/],
    ['{app: app, max_body_size: 10 MB}', 'routes.0.max_body_size', /^expected a size/, /./],
    ['{app: app, rate_limit: fast}', 'routes.0.rate_limit', /^expected a rate/, /./],
    ['{app: app, connection_limit: 0}', 'routes.0.connection_limit', /^expected a whole number/, /./],
    ['{app: app, connection_limit: on}', 'routes.0.connection_limit', /, or off$/, /./],
    ['{app: app, basic_auth: on}', 'routes.0.basic_auth', /^expected \{file: PATH/, /./],
    ['{app: app, basic_auth: {realm: x}}', 'routes.0.basic_auth.file', /^expected the path of an htpasswd/, /./],
    ['{app: app, allow: [10.0.0.0/33]}', 'routes.0.allow.0', /^expected an address or network/, /./],
    ['{app: app, deny: 10.0.0.1}', 'routes.0.deny', /^expected a list of addresses/, /./],
    ['{app: app, headers: {Server: x}}', 'routes.0.headers.Server', /^expected another header/, /./],
    ['{app: app, headers: {X-Request-Id: a}}', 'routes.0.headers.X-Request-Id', /^expected on or off/, /./],
    ['{app: app, compression: none}', 'routes.0.compression', /^expected on, off/, /./],
    ['{app: app, cache: {ttl: 1}}', 'routes.0.cache.ttl', /^expected a duration/, /./],
    ['{response: {}, cache: {}}', 'routes.0.cache', /^applies to routes to an app or upstream/, /remove cache/],
    ['{app: app, cache: {}, buffering: off}', 'routes.0.cache', /^conflicts with buffering/, /./],
    ['{app: app, cache: {}, basic_auth: {file: x}}', 'routes.0.cache', /^has no effect behind basic_auth/, /off/],
    [
      '{app: app, forward_auth: {upstream: a}}',
      'routes.0.forward_auth.path',
      /^is required without a preset/,
      /authelia/,
    ],
    [
      '{app: app, forward_auth: {preset: authelia, upstream: a}}',
      'routes.0.forward_auth.upstream',
      /^is not an up/,
      /a\.servers/,
    ],
    [
      '{app: app, forward_auth: {preset: keycloak, upstream: a}}',
      'routes.0.forward_auth.preset',
      /^expected authelia/,
      /./,
    ],
    ['{app: app, satisfy: any}', 'routes.0.satisfy', /^has no effect/, /^remove/],
    ['{app: app, satisfy: any, allow: [10.0.0.1]}', 'routes.0.satisfy', /^has no effect/, /second/],
    ['{app: app, snippet: "a*.conf"}', 'routes.0.snippet', /^expected a file/, /./],
  ]
  for (const [text, key, message, fix] of wrong) {
    it(`reject ${text}`, () => {
      const problem = refusedOnce(yaml(`app: {command: x}\nroutes:\n  - ${text}`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, message)
      assert.match(problem.fix, fix)
      assert.equal(problem.source, 'monohull.yaml:3')
    })
  }

  it('may redirect below themselves if another route matches there', () => {
    const to = '{path: /x, redirect: {to: /x/v2/}}, '
    for (const other of ['{path: /x/v2, app: app}', "{path: '/v', match: regex, app: app}"])
      assert.equal(acceptedApps(yaml(`routes: [${to}${other}]`)).routes.length, 2)
  })

  it('reject redirect loops, and name the first and the last redirect', () => {
    const a = '  - {path: /a, redirect: {to: /b}}'
    const problem = refusedOnce(
      yaml(`routes:\n${a}\n  - {path: /b, redirect: {to: /c/d}}\n  - {path: /c, redirect: {to: /a}}`),
    )
    assert.equal(problem.key, 'routes.0.redirect.to')
    assert.equal(problem.problem, 'leads back to this route through the redirect of routes.2 (monohull.yaml:4)')
    assert.equal(problem.source, 'monohull.yaml:2')
    const kept = '{path: /new, redirect: {to: /old}}, {path: /old, redirect: {to: /new, keep_path: true}}'
    assert.equal(refusedOnce(yaml(`routes: [${kept}]`)).key, 'routes.0.redirect.to')
    const host = '{host: a.test, path: /x, redirect: {to: /y}}, {path: /y, redirect: {to: /x}}, {path: /x, app: app}'
    assert.equal(refusedOnce(yaml(`routes: [${host}]`)).key, 'routes.0.redirect.to')
  })

  it('may lead to redirects to other places', () => {
    for (const routes of [
      '{path: /a, redirect: {to: /b}}, {path: /b, redirect: {to: /c}}, {path: /b/c, redirect: {to: /a}}',
      '{path: /a, redirect: {to: /b}}, {path: /b, redirect: {to: "https://b.test/a"}}',
      '{path: /a, redirect: {to: /b}}, {path: /b, redirect: {to: //b.test/a}}',
      '{path: /a, redirect: {to: /b/c}}, {path: /b, redirect: {to: /a}}, {path: /b/c, match: exact, app: app}',
      '{path: /a, host: a.test, redirect: {to: /b}}, {path: /b, host: b.test, redirect: {to: /a}}',
      '{path: /a, match: exact, redirect: {to: /a/}}, {path: /a, app: app}',
      '{host: a.b.test, path: /a, redirect: {to: /b}}, {host: "*.b.test", path: /b, app: app}, {path: /b, redirect: {to: /a}}, {path: /a, app: app}',
      '{path: /was, redirect: {to: /, keep_path: true}}, {path: /, app: app}',
    ])
      assert.ok(acceptedApps(yaml(`routes: [${routes}]`)).routes.length > 1, routes)
  })

  it('have settings of their own, which do not change those of the front', () => {
    const { routes, max_body_size } = acceptedApps(
      yaml('routes: [{app: app}, {path: /x, app: app, max_body_size: off, allow: off, cache: {ttl: 1m}}]'),
    )
    assert.deepEqual([routes[0]?.settings.max_body_size, max_body_size], [undefined, '10m'])
    const { max_body_size: own, allow, cache } = routes[1]?.settings ?? assert.fail()
    assert.deepEqual([own, allow, cache !== 'off' && cache?.ttl], ['off', 'off', 60_000])
  })

  it('reject a cache behind the password of the whole front', () => {
    const routes = '[{path: /a, app: app, cache: {}}, {path: /b, app: app, basic_auth: off, cache: {}}]'
    assert.equal(refusedOnce(yaml(`basic_auth: {file: x}\nroutes: ${routes}`)).key, 'routes.0.cache')
  })

  it('reject a duplicate route, and name the line of the first', () => {
    const text =
      'routes:\n  - {path: /a, app: app}\n  - {path: /a, match: exact, app: app}\n  - {path: /a/, response: {}}'
    const problem = refusedOnce(yaml(text))
    assert.equal(problem.source, 'monohull.yaml:4')
    assert.equal(problem.problem, 'repeats the host and path of routes.0 (monohull.yaml:2)')
  })

  it('reject more hosts with more shared routes than nginx has memory for, at once', () => {
    const lines = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, at) => line(at))
    const hosts = (count: number) => lines(count, at => `  - {host: h${at}.test, response: {}}`)
    const shared = (count: number) => lines(count, at => `  - {path: /p${at}, app: app}`)
    const file = (text: string[]) => yaml(`routes:\n${text.join('\n')}`)
    const problem = refusedOnce(file([...hosts(101), ...shared(200)]))
    assert.match(problem.problem, /^has 101 hosts and 200 routes without a host, .* 20200 locations, of 20000 at most$/)
    assert.equal(acceptedApps(file([...hosts(100), ...shared(200)])).routes?.length, 300)
  })
})

describe('config: upstreams', () => {
  const upstreamOf = (keys: string) => acceptedApps(yaml(`upstreams: {legacy: {${keys}}}`)).upstreams.legacy

  it('have servers with weight and backup', () => {
    const servers = '"10.0.0.2:5000", "Legacy.internal:80 weight=2", "[2001:db8::1]:8080 backup weight=3", "4you:1"'
    assert.deepEqual(upstreamOf(`servers: [${servers}]`)?.servers, [
      { host: '10.0.0.2', port: 5000, weight: 1, isBackup: false },
      { host: 'legacy.internal', port: 80, weight: 2, isBackup: false },
      { host: '2001:db8::1', port: 8080, weight: 3, isBackup: true },
      { host: '4you', port: 1, weight: 1, isBackup: false },
    ])
  })

  it('are known in TLS by tls.name, else host, else the name of the first server', () => {
    const nameOf = (keys: string) => tlsName(upstreamOf(keys) ?? assert.fail())
    assert.equal(nameOf('servers: ["a.test:443"], host: b.test, tls: {name: c.test}'), 'c.test')
    assert.equal(nameOf('servers: ["a.test:443"], host: b.test, tls: {}'), 'b.test')
    assert.equal(nameOf('servers: ["a.test:443"], tls: {}'), 'a.test')
    assert.equal(nameOf('servers: ["10.0.0.2:443"], tls: {verify: false}'), undefined)
  })

  const wrong: [string, string, RegExp][] = [
    ['servers: []', 'servers', /^expected at least one server/],
    ['servers: ["10.0.0.2"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["10.0.0.2:70000"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["a b:80"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["a:80 wait=2"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["a:80 weight=0"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["http://a:80"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["unix:/run/a.sock"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["::1:80"]', 'servers.0', /^expected HOST:PORT/],
    ['servers: ["999.1.1.1:80"]', 'servers.0', /^expected a name or an address before the port/],
    ['servers: ["10.0.1:80"]', 'servers.0', /^expected a name or an address/],
    ['servers: ["10.0.0.0.1:80"]', 'servers.0', /^expected a name or an address/],
    ['servers: ["a..b:80"]', 'servers.0', /^expected a name or an address/],
    ['servers: ["[:::]:80"]', 'servers.0', /^expected a name or an address/],
    ['servers: ["[10.0.0.1]:80"]', 'servers.0', /^expected a name or an address/],
    ['servers: ["a:80 weight=2 weight=3"]', 'servers.0', /^expected weight=NUMBER and backup once/],
    ['servers: ["a:80", "b:80 backup backup"]', 'servers.1', /^expected weight=NUMBER and backup once/],
    ['servers: ["a:80 backup"]', 'servers', /^expected at least one server that is not a backup/],
    ['servers: ["a:80", "b:80 backup"], balance: ip_hash', 'servers.1', /^is a backup/],
    ['servers: ["10.0.0.2:443"], tls: {}', 'tls', /^has no name to verify/],
    ['servers: ["a:80"], health: {}', 'health.path', /^expected a path/],
    ['servers: ["a:80"], fail_timeout: 10ms', 'fail_timeout', /^expected a duration of at least 1000 ms/],
    ['servers: ["a:80"], fail_timeout: 1500ms', 'fail_timeout', /^expected whole seconds/],
    ['server: ["a:80"]', 'server', /not a known key/],
  ]
  for (const [text, key, message] of wrong) {
    it(`reject ${text}`, () => {
      const problem = refused(yaml(`upstreams:\n  legacy: {${text}}`)).find(
        found => found.key === `upstreams.legacy.${key}`,
      )
      assert.match(problem?.problem ?? 'accepted', message)
      assert.equal(problem?.source, 'monohull.yaml:2')
    })
  }

  it('reject one whose lines are all commented out', () => {
    const problem = refusedOnce(yaml('upstreams:\n  legacy:\n    # servers: []\n'))
    assert.equal(problem.key, 'upstreams.legacy.servers')
  })
})
