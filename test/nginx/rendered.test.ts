// needs: libnginx-mod-http-lua nginx openssl
import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { accessRules } from '../../supervisor/logs/access-rules.ts'
import { createNginxFiles, readNginxFeatures } from '../../supervisor/nginx/adapters/files.ts'
import { findSnippets, readOwnFiles } from '../../supervisor/nginx/adapters/own-files.ts'
import { complaintFix } from '../../supervisor/nginx/complaint.ts'
import type { NginxFeatures } from '../../supervisor/nginx/features.ts'
import type { NginxFiles } from '../../supervisor/nginx/service.ts'
import type { NginxModel } from '../../supervisor/site/model.ts'
import { renderNginx } from '../../supervisor/site/render.ts'
import type { WorkerEntry } from '../../supervisor/workers/app-upstream.ts'
import { diskSpool, plainFront } from '../front-rules.ts'
import { makeCertificate } from '../make-certificate.ts'
import { routeTo, toApp, toFiles, toUpstream } from '../routes.ts'

const unix = { slot: 1, address: { kind: 'unix', path: '/tmp/app-1.sock' } } as const
const workers = (count: number): WorkerEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    slot: index + 1,
    // as long as the path of a unix socket may be
    address: { kind: 'unix', path: `/tmp/${'x'.repeat(90)}/app-${index + 1}.sock` },
  }))
const loopback = [{ address: '127.0.0.1', port: 18080 }]
const secure = [{ address: '127.0.0.1', port: 18443 }]

describe('the rendered configuration passes the test of the installed nginx:', () => {
  let folder: string
  let features: NginxFeatures
  let files: NginxFiles

  before(async t => {
    folder = mkdtempSync(join(tmpdir(), 'monohull-nginx-'))
    if ('after' in t) t.after(() => rmSync(folder, { recursive: true, force: true }))
    makeCertificate(folder, 'x.test', { chain: 'cert.pem', key: 'key.pem' })
    features = await readNginxFeatures()
    files = createNginxFiles({ source: join(import.meta.dirname, '../../nginx'), target: join(folder, 'nginx') })
    mkdirSync(join(folder, 'nginx'))
  })

  const model = (change: Partial<NginxModel> = {}): NginxModel => ({
    features,
    user: process.getuid?.() === 0 ? 'www-data' : undefined,
    workerProcesses: 2,
    connections: { perWorker: 1024, openFiles: 1624 },
    workDir: join(folder, 'nginx'),
    statusSocket: join(folder, 'status.sock'),
    retrySocket: undefined,
    spool: diskSpool(join(folder, 'nginx')),
    proxySettings: [],
    accessLog: { path: '/dev/null', format: 'text', ...accessRules(true) },
    traces: { share: 1, spanFile: undefined },
    http: loopback,
    https: secure,
    httpMode: 'redirect',
    publicHttpsPort: 443,
    certificates: {
      fallback: { names: [], files: [{ chain: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }] },
      named: [],
    },
    tlsProfile: 'intermediate',
    onDemand: undefined,
    dynamicRoutes: undefined,
    acmeChallenges: '/tmp/acme-challenge',
    sharedChallenges: '/tmp/acme-challenge.sock',
    acmeHandshakes: features.luaModules && '/tmp/acme-alpn',
    health: { socket: '/tmp/health.sock', livePath: '/healthz', readyPath: '/readyz', ports: [] },
    unavailable: { own: undefined },
    apps: [{ name: 'app', servers: [unix], keepalive: 32, balance: 'least_conn' }],
    upstreams: [],
    routes: [routeTo(toApp('app'))],
    busyCounter: undefined,
    requestCounter: features.luaModules && { hasHosts: false, makesIds: true },
    filtersResponses: features.luaModules !== undefined,
    front: plainFront,
    ownNginxConf: undefined,
    snippets: undefined,
    ownFiles: new Map(),
    drainTimeoutSeconds: 3600,
    ...change,
  })

  async function test(change: Partial<NginxModel> = {}) {
    const staged = files.stage(renderNginx(model(change)))
    const result = await files.test(staged, [])
    files.discard(staged)
    return result.ok ? { ok: true as const, warnings: result.warnings } : result
  }

  const cases: [string, Partial<NginxModel>][] = [
    ['redirect', {}],
    ['HTTP and HTTPS', { httpMode: 'serve' }],
    ['modern TLS', { tlsProfile: 'modern' }],
    ['certificates on demand', { onDemand: { directory: '/tmp/on demand', socket: '/tmp/on-demand.sock' } }],
    [
      'dynamic routes, with certificates on demand',
      {
        httpMode: 'serve',
        dynamicRoutes: {
          lookupSocket: '/tmp/routes.sock',
          get changesSocket() {
            return join(folder, 'routes-changed.sock')
          },
          unknown: '403',
          staleForSeconds: 600,
          namedHosts: ['www.test', '*.shop.test', 'localhost'],
        },
        onDemand: { directory: '/tmp/on demand', socket: '/tmp/on-demand.sock' },
      },
    ],
    [
      'dynamic routes to many upstreams with long names',
      {
        httpMode: 'serve',
        upstreams: Array.from({ length: 120 }, (_, index) => ({
          name: `${'x'.repeat(28)}-${100 + index}`,
          servers: [{ address: '127.0.0.1:9003', weight: 1, isBackup: false }],
          balance: 'round_robin' as const,
          keepalive: 0,
          tries: 1,
          maxFails: 1,
          failTimeoutSeconds: 10,
          host: undefined,
          tls: undefined,
        })),
        dynamicRoutes: {
          lookupSocket: '/tmp/routes.sock',
          get changesSocket() {
            return join(folder, 'routes-changed.sock')
          },
          unknown: '403',
          staleForSeconds: 600,
          namedHosts: [],
        },
      },
    ],
    ['HTTP alone', { httpMode: 'serve', https: [], certificates: undefined }],
    ['IPv4 and IPv6', { http: [...loopback, { address: '::1', port: 18080 }] }],
    [
      'certificates by name, of any length, on IPv4 and IPv6',
      {
        https: [...secure, { address: '::1', port: 18443 }],
        get certificates() {
          const files = [{ chain: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }]
          const names = ['*.shop.test', `${'a'.repeat(60)}.`.repeat(4).slice(0, -1)]
          return { fallback: { names: ['main.test'], files }, named: [{ names, files }] }
        },
      },
    ],
    [
      'no worker left but a cache, for hosts with a dynamic route only',
      {
        apps: [{ name: 'app', servers: [], keepalive: 32, balance: 'least_conn' }],
        routes: [routeTo(toFiles('/tmp'))],
        dynamicRoutes: {
          lookupSocket: '/tmp/routes.sock',
          get changesSocket() {
            return join(folder, 'routes-changed.sock')
          },
          unknown: '403',
          staleForSeconds: 600,
          namedHosts: ['www.test'],
        },
        front: {
          ...plainFront,
          cache: {
            ttlSeconds: 0,
            key: '$uri',
            maxSize: '1m',
            staleWhileRevalidate: false,
            cookies: 'bypass',
            hasLua: true,
          },
        },
      },
    ],
    ...(['all', 'none'] as const).map((stored): [string, Partial<NginxModel>] => [
      `temporary files in memory, ${stored} of the bodies stored`,
      {
        get spool() {
          const own = diskSpool(join(folder, 'nginx'))
          const totalBodyBytes = stored === 'all' ? 64 << 20 : undefined
          return { ...own, responseBytes: 0, totalBodyBytes, storesBodies: stored === 'all', bodyBufferBytes: 16 << 10 }
        },
        routes: [
          routeTo(toApp('app')),
          routeTo(toApp('app', { spool: { storesBodies: false, responseSize: '64m' } }), { path: '/up' }),
        ],
      },
    ]),
    [
      'a route with its part of a response',
      { routes: [routeTo(toApp('app', { spool: { storesBodies: true, responseSize: '64m' } }))] },
    ],
    ['no worker left', { apps: [{ name: 'app', servers: [], keepalive: 32, balance: 'least_conn' }] }],
    ...(['least_conn', 'round_robin', 'ip_hash', 'sticky'] as const).flatMap(balance =>
      [1, 2, 64].map((count): [string, Partial<NginxModel>] => [
        `${count} workers, ${balance}`,
        {
          apps: [{ name: 'my-app', servers: workers(count), keepalive: 32, balance }],
          routes: [routeTo(toApp('my-app'))],
        },
      ]),
    ),
    [
      'workers on ports, sticky',
      {
        apps: [
          {
            name: 'app',
            servers: [{ slot: 1, address: { kind: 'tcp', port: 9001 } }],
            keepalive: 0,
            balance: 'sticky',
          },
        ],
      },
    ],
    [
      'workers on ports, no keep-alive',
      {
        apps: [
          {
            name: 'app',
            servers: [{ slot: 1, address: { kind: 'tcp', port: 9001 } }],
            keepalive: 0,
            balance: 'least_conn',
          },
        ],
      },
    ],
    ['static files in a path with a space', { apps: [], routes: [routeTo(toFiles('/tmp/my site'))] }],
    [
      'routes by path and host',
      {
        httpMode: 'serve',
        http: [...loopback, { address: '::1', port: 18080 }],
        apps: [
          { name: 'web', servers: [unix], keepalive: 32, balance: 'least_conn' },
          {
            name: 'api-v2',
            servers: [{ slot: 1, address: { kind: 'tcp', port: 9001 } }],
            keepalive: 0,
            balance: 'least_conn',
          },
          { name: 'down', servers: [], keepalive: 0, balance: 'least_conn' },
        ],
        routes: [
          routeTo(toApp('web')),
          routeTo(toApp('api-v2'), { path: '/api' }),
          routeTo(toApp('down'), { path: '/down' }),
          routeTo(toFiles('/tmp/my site'), { path: '/docs' }),
          routeTo(toApp('api-v2'), { host: 'api.example.com' }),
          routeTo(toFiles('/tmp'), { host: '*.example.com' }),
        ],
      },
    ],
    [
      'apps and upstreams of every protocol',
      {
        retrySocket: '/tmp/retry.sock',
        apps: (['fastcgi', 'grpc', 'uwsgi'] as const).map(protocol => ({
          name: protocol,
          servers: [unix],
          keepalive: 32,
          balance: 'least_conn' as const,
          protocol,
        })),
        upstreams: (['grpc', 'uwsgi'] as const).map(protocol => ({
          name: `far-${protocol}`,
          servers: [{ address: '127.0.0.1:9003', weight: 1, isBackup: false }],
          balance: 'round_robin' as const,
          keepalive: 8,
          protocol,
          tries: 2,
          maxFails: 1,
          failTimeoutSeconds: 10,
          host: 'far.test',
          tls: { name: 'far.test', authorities: '/etc/ssl/certs/ca-certificates.crt' },
        })),
        routes: [
          ...['fastcgi', 'grpc', 'uwsgi'].map(name =>
            routeTo(toApp(name, { readTimeoutMs: 1000, headSize: '128k' }), { path: `/${name}` }),
          ),
          ...['grpc', 'uwsgi'].map(name => routeTo(toUpstream(`far-${name}`), { path: `/far-${name}` })),
        ],
        front: {
          ...plainFront,
          access: { basicAuth: { file: '/tmp/staff', realm: 'Staff', forwards: false }, allow: undefined, deny: [] },
        },
      },
    ],
    ['own page', { unavailable: { own: 'Back at nine' } }],
    [
      'scaled by busy time',
      { busyCounter: { socket: '/tmp/monohull-test-busy.sock', apps: ['app'], sleepers: ['app'] } },
    ],
    [
      'behind balancers',
      {
        front: {
          ...plainFront,
          trust: { proxies: ['10.0.0.0/8', '::1'], proxyProtocol: false, forwardedHeader: true },
        },
      },
    ],
    [
      'PROXY protocol',
      { front: { ...plainFront, trust: { proxies: ['10.0.0.0/8'], proxyProtocol: true, forwardedHeader: false } } },
    ],
    [
      'limits, access and error pages',
      {
        front: {
          ...plainFront,
          limits: { bodySize: '1g', rate: { count: 1, per: 's', burst: 0 }, connections: 1, requests: 3584 },
          access: {
            basicAuth: { file: '/tmp/my htpasswd', realm: 'a b', forwards: false },
            allow: ['::1'],
            deny: ['10.0.0.0/8'],
          },
          unknownHost: { status: 444, known: ['example.com', '*.example.com'] },
          errorPages: new Map([['404', 'x']]),
        },
      },
    ],
    [
      'routes with rules of their own',
      {
        front: {
          ...plainFront,
          limits: { ...plainFront.limits, connections: 1 },
          access: { basicAuth: { file: '/tmp/staff', realm: 'Staff', forwards: false }, allow: undefined, deny: [] },
        },
        routes: [
          routeTo(toApp('app')),
          routeTo(toApp('app'), {
            path: '/open',
            rules: { basicAuth: 'off', rate: 'off', connections: 'off', compression: 'off', cache: 'off', headers: [] },
          }),
          ...['/(a|b)\\.php$', '/ä'].map(path =>
            routeTo(toApp('app'), {
              path,
              match: 'regex',
              rules: {
                bodySize: '1g',
                rate: { count: 1, per: 'm', burst: 0 },
                connections: 2,
                deny: ['10.0.0.0/8'],
                headers: [{ name: 'X-Own', value: "it's" }],
                compression: { hasBrotli: false, minLength: 0, types: [], skipsWithCookies: false },
                cache: {
                  ttlSeconds: 0,
                  key: '$uri',
                  maxSize: '1m',
                  staleWhileRevalidate: false,
                  cookies: 'ignore',
                  hasLua: true,
                },
              },
            }),
          ),
          routeTo({ kind: 'redirect', to: '/open', status: 308, keepsPath: true }, { path: '/was' }),
          routeTo(
            { kind: 'response', status: 204, body: '', contentType: 'text/plain' },
            { path: '/x', match: 'exact' },
          ),
        ],
      },
    ],
    [
      'cache and files to send',
      {
        front: {
          ...plainFront,
          cache: {
            ttlSeconds: 0,
            key: '$monohull_proto://$monohull_host$request_uri',
            maxSize: '256m',
            staleWhileRevalidate: false,
            cookies: 'ignore',
            hasLua: true,
          },
          sendFiles: new Map([['/protected/', '/tmp/my files/']]),
        },
      },
    ],
    [
      'every kind of target',
      {
        upstreams: [
          {
            name: 'legacy',
            servers: [
              { address: '127.0.0.1:9003', weight: 2, isBackup: false },
              { address: '[::1]:9003', weight: 1, isBackup: true },
            ],
            balance: 'least_conn',
            keepalive: 8,
            tries: 1,
            maxFails: 3,
            failTimeoutSeconds: 5,
            host: 'legacy.test',
            tls: { name: 'legacy.test', authorities: '/etc/ssl/certs/ca-certificates.crt' },
          },
          {
            name: 'backups',
            servers: [{ address: '127.0.0.1:9004', weight: 1, isBackup: true }],
            balance: 'ip_hash',
            keepalive: 0,
            tries: 3,
            maxFails: 1,
            failTimeoutSeconds: 10,
            host: undefined,
            tls: undefined,
          },
        ],
        routes: [
          routeTo(
            toFiles('/tmp/my site', {
              fallback: '/index.html',
              isListed: true,
              cache: [{ pattern: '/assets/**', value: 'public, max-age=1' }],
            }),
          ),
          routeTo(toFiles('/tmp'), { path: '/robots.txt', match: 'exact' }),
          routeTo(toFiles('/tmp'), { path: '\\.(png|j{1,2}pg)$', match: 'regex' }),
          routeTo(toApp('app', { stripsPrefix: true, buffering: 'on', readTimeoutMs: 1500 }), { path: '/a.b+c' }),
          routeTo(toApp('app', { rewrite: { from: '^/old/(\\d{2})"?$', to: '/new/$1' } }), { path: '/old' }),
          routeTo(toUpstream('legacy', { stripsPrefix: true }), { path: '/legacy' }),
          routeTo(toUpstream('backups'), { path: '/backups' }),
          routeTo({ kind: 'redirect', to: 'https://x.test/', status: 307, keepsPath: true }, { path: '/blog' }),
          routeTo(
            { kind: 'response', status: 200, body: '$5 {"a": "b\\"}\n', contentType: 'text/plain' },
            { path: '/r' },
          ),
        ],
      },
    ],
    ['no route for /', { routes: [routeTo(toApp('app'), { path: '/api' })] }],
    ['JSON access log', { accessLog: { path: '/dev/null', format: 'json', ...accessRules(true) } }],
    [
      'no access log, no health',
      { accessLog: undefined, health: { socket: '/tmp/health.sock', livePath: 'off', readyPath: 'off', ports: [] } },
    ],
  ]
  for (const [name, change] of cases) {
    it(name, async () => {
      assert.deepEqual(await test(change), { ok: true, warnings: [] })
    })
  }

  it('and a user snippet that it refuses is named by file and line', async () => {
    const snippets = join(folder, 'mine')
    mkdirSync(join(snippets, 'http.d'), { recursive: true })
    mkdirSync(join(snippets, 'server.d'))
    writeFileSync(join(snippets, 'http.d/ok.conf'), 'map $uri $mine { default 1; }\n')
    const read = () => readOwnFiles(findSnippets(snippets), () => assert.fail('each can be read'))
    assert.deepEqual(await test({ snippets, ownFiles: read() }), { ok: true, warnings: [] })
    writeFileSync(join(snippets, 'server.d/bad.conf'), '# fine\nlocation /x {\n    prox_pass http://x;\n}\n')
    const result = await test({ snippets, ownFiles: read() })
    assert.ok(!result.ok)
    assert.match(
      result.output.join('\n'),
      /^\[emerg\] unknown directive "prox_pass" in .*mine\/server\.d\/bad\.conf:3$/,
    )
  })

  it("and the user's own Lua has init_by_lua, but not lua_package_path", async () => {
    const snippets = join(folder, 'lua')
    const busyCounter = { socket: '/tmp/monohull-test-busy.sock', apps: ['app'], sleepers: [] }
    for (const name of ['http.d', 'server.d']) mkdirSync(join(snippets, name), { recursive: true })
    const read = () => readOwnFiles(findSnippets(snippets), () => assert.fail('each can be read'))
    const modules = `package.path = "${snippets}/?.lua;" .. package.path`
    writeFileSync(join(snippets, 'own.lua'), 'return 1\n')
    writeFileSync(join(snippets, 'http.d/a.conf'), `init_by_lua_block { ${modules} require("own") }\n`)
    assert.deepEqual(await test({ snippets, ownFiles: read(), busyCounter }), { ok: true, warnings: [] })
    writeFileSync(join(snippets, 'http.d/a.conf'), `lua_package_path "${snippets}/?.lua;;";\n`)
    const result = await test({ snippets, ownFiles: read(), busyCounter })
    assert.ok(!result.ok)
    assert.match(
      complaintFix(result.output, { ownConf: undefined }),
      /^remove lua_package_path, and extend package\.path/,
    )
  })

  it('and keeps its static files through an upgrade of the installation, readable by the workers of nginx', () => {
    const source = join(folder, 'installed')
    cpSync(join(import.meta.dirname, '../../nginx'), source, { recursive: true })
    const names = ['nginx.conf', 'snippets/basics.conf', 'lua/monohull/routes.lua']
    const texts = names.map(name => readFileSync(join(source, name), 'utf8'))
    for (const name of names) chmodSync(join(source, name), 0o600)
    const installed = createNginxFiles({ source, target: join(folder, 'installed-nginx') })
    for (const name of names) writeFileSync(join(source, name), 'another version')
    const staged = installed.stage(new Map())
    assert.deepEqual(
      names.map(name => readFileSync(join(staged, name), 'utf8')),
      texts,
    )
    for (const name of names) assert.equal(statSync(join(staged, name)).mode & 0o044, 0o044)
  })
})
