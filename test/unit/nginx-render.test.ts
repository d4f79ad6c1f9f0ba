import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readDirectives } from '../../supervisor/adapters/nginx-binary.ts'
import type { Cache } from '../../supervisor/domain/nginx-cache.ts'
import {
  type NginxFeatures,
  type NginxModel,
  type NginxUpstream,
  readFeatures,
  routesByHost,
} from '../../supervisor/domain/nginx-model.ts'
import { renderNginx } from '../../supervisor/domain/nginx-render.ts'
import type { Upstream } from '../../supervisor/domain/nginx-upstream.ts'
import { plainFront } from '../front-rules.ts'
import { routeTo, toApp, toFiles, toUpstream } from '../routes.ts'

const folder = join(import.meta.dirname, 'golden')
const schemaFile = join(import.meta.dirname, '../../docs/reference/monohull.schema.json')

const no = () => false

const app: Upstream = {
  name: 'app',
  servers: [
    { slot: 1, address: { kind: 'unix', path: '/run/monohull/app-1.sock' } },
    { slot: 2, address: { kind: 'unix', path: '/run/monohull/app-2.sock' } },
  ],
  keepalive: 32,
  balance: 'least_conn',
}

const base: NginxModel = {
  features: {
    version: '1.26.3',
    hasHttp2Directive: true,
    hasMlKem: true,
    rotatesTicketKeys: true,
    luaModules: undefined,
    brotliModule: undefined,
    hasHttp3: true,
    hasMaxHeaders: false,
    brotliStaticModule: undefined,
  },
  user: 'www-data',
  workerProcesses: 2,
  workDir: '/run/monohull/nginx',
  accessLog: { path: '/dev/stdout', format: 'text' },
  http: [{ address: '0.0.0.0', port: 80 }],
  https: [{ address: '0.0.0.0', port: 443 }],
  httpMode: 'redirect',
  publicHttpsPort: 443,
  certificates: {
    fallback: { names: [], files: [{ chain: '/run/monohull/served.crt', key: '/run/monohull/served.key' }] },
    named: [],
  },
  tlsProfile: 'intermediate',
  onDemand: undefined,
  dynamicRoutes: undefined,
  acmeChallenges: undefined,
  health: { socket: '/run/monohull/health.sock', livePath: '/healthz', readyPath: '/readyz' },
  unavailable: { own: undefined },
  apps: [app],
  upstreams: [],
  routes: [routeTo(toApp('app'))],
  busyTime: undefined,
  front: plainFront,
  ownNginxConf: undefined,
  snippets: undefined,
  shutdownTimeoutSeconds: 8,
}

const legacy: NginxUpstream = {
  name: 'legacy',
  servers: [
    { address: '10.0.0.2:5000', weight: 1, isBackup: false },
    { address: '[2001:db8::3]:5000', weight: 2, isBackup: false },
    { address: '10.0.0.4:5000', weight: 1, isBackup: true },
  ],
  balance: 'least_conn',
  keepalive: 32,
  tries: 3,
  maxFails: 1,
  failTimeoutSeconds: 10,
  host: undefined,
  tls: undefined,
}

const ruledCache: Cache = {
  ttlSeconds: 60,
  key: '$host$request_uri',
  maxSize: '1g',
  staleWhileRevalidate: true,
  cookies: 'bypass',
}

const models: Record<string, NginxModel> = {
  redirect: base,
  'https-on': { ...base, httpMode: 'serve', publicHttpsPort: 8443, accessLog: { path: '/dev/stdout', format: 'json' } },
  'https-off': { ...base, httpMode: 'serve', https: [], certificates: undefined },
  'pool-down': { ...base, apps: [{ name: 'app', servers: [], keepalive: 32, balance: 'least_conn' }] },
  'port-mode': {
    ...base,
    apps: [
      {
        name: 'app',
        servers: [{ slot: 1, address: { kind: 'tcp', port: 40_001 } }],
        keepalive: 0,
        balance: 'least_conn',
      },
    ],
  },
  sticky: { ...base, apps: [{ ...app, balance: 'sticky' }] },
  'ip-hash': { ...base, apps: [{ ...app, balance: 'ip_hash' }] },
  'own-page': { ...base, unavailable: { own: '<!doctype html>\nBack at nine\n' } },
  'busy-time': {
    ...base,
    features: {
      ...base.features,
      luaModules: ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so'],
    },
    busyTime: { socket: '/run/monohull/busy.sock', apps: ['app'] },
  },
  files: {
    ...base,
    apps: [],
    routes: [routeTo(toFiles('/app/my "site"'))],
  },
  'files-in-layer': {
    ...base,
    features: { ...base.features, brotliStaticModule: '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so' },
    routes: [
      routeTo(toApp('app')),
      routeTo(toFiles('/app/public', { looksForGzip: false, looksForBrotli: false, keepsOpen: 'a second' }), {
        path: '/assets',
      }),
      routeTo(toFiles('/app/docs', { looksForGzip: false, looksForLinks: false, keepsOpen: 'each request' }), {
        path: '/docs',
      }),
    ],
  },
  routes: {
    ...base,
    httpMode: 'serve',
    apps: [
      ...base.apps,
      {
        name: 'api-v2',
        servers: [{ slot: 1, address: { kind: 'unix', path: '/run/monohull/api-v2-1.sock' } }],
        keepalive: 0,
        balance: 'least_conn',
      },
      { name: 'down', servers: [], keepalive: 32, balance: 'least_conn' },
    ],
    routes: [
      routeTo(toApp('app')),
      routeTo(toApp('api-v2'), { path: '/api' }),
      routeTo(toApp('down'), { path: '/down' }),
      routeTo(toFiles('/app/my docs'), { path: '/docs' }),
      routeTo(toApp('api-v2'), { host: 'api.example.com' }),
      routeTo(toApp('app'), { host: '*.example.com', path: '/docs' }),
    ],
    snippets: '/app/nginx',
  },
  targets: {
    ...base,
    features: { ...base.features, brotliStaticModule: '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so' },
    upstreams: [
      legacy,
      {
        ...legacy,
        name: 'partner',
        servers: [{ address: '10.0.0.9:443', weight: 1, isBackup: true }],
        balance: 'round_robin',
        keepalive: 0,
        tries: 1,
        maxFails: 0,
        host: 'partner.example.com',
        tls: { name: 'partner.example.com', authorities: '/etc/ssl/certs/ca-certificates.crt' },
      },
      { ...legacy, name: 'gone', servers: [] },
    ],
    routes: [
      toFiles('/app/public', {
        fallback: '/index.html',
        cache: [
          { pattern: '/assets/**', value: 'public, max-age=31536000, immutable' },
          { pattern: '*.html', value: 'no-cache' },
        ],
      }),
      toFiles('/data/down loads', { isListed: true, looksForLinks: false, fallback: '/none.txt' }),
      toFiles('/app/public'),
      toApp('app', { stripsPrefix: true, readTimeoutMs: 300_000, isBuffered: false }),
      toApp('app', { rewrite: { from: '^/old/(\\d+)/(.*)$', to: '/new/$2/$1' } }),
      toApp('app'),
      toUpstream('legacy'),
      toUpstream('partner', { stripsPrefix: true }),
      toUpstream('gone'),
      { kind: 'redirect', to: 'https://blog.example.com/', status: 308, keepsPath: true } as const,
      { kind: 'redirect', to: '/api', status: 302, keepsPath: false } as const,
      { kind: 'response', status: 200, body: '{"costs": "$5 \\\\ each"}\n', contentType: 'application/json' } as const,
      { kind: 'response', status: 410, body: '', contentType: 'text/plain' } as const,
    ].map((target, index) =>
      routeTo(target, {
        origin: `routes[${index}]`,
        path: [
          '/',
          '/downloads',
          '/robots.txt',
          '/api',
          '/old',
          '\\.php$',
          '/legacy',
          '/partner.v2',
          '/gone',
          '/blog',
          '/docs/api',
          '/price',
          '/was',
        ][index] as string,
        match: index === 2 || index === 11 ? 'exact' : index === 5 ? 'regex' : 'prefix',
        snippet: index === 3 ? '/app/nginx/api.conf' : undefined,
      }),
    ),
  },
  'exact-and-prefix': {
    ...base,
    routes: [
      routeTo(toApp('app', { stripsPrefix: true }), { path: '/api' }),
      routeTo({ kind: 'redirect', to: '/api/docs', status: 308, keepsPath: false }, { path: '/api', match: 'exact' }),
      routeTo({ kind: 'redirect', to: '/', status: 308, keepsPath: true }, { path: '/was' }),
      routeTo(
        { kind: 'redirect', to: 'https://new.example.com', status: 301, keepsPath: true },
        { host: 'old.example.com' },
      ),
    ],
  },
  'no-root': { ...base, routes: [routeTo(toApp('app'), { path: '/api' })] },
  ipv6: {
    ...base,
    http: [...base.http, { address: '::', port: 80 }],
    https: [...base.https, { address: '::1', port: 443 }],
  },
  modern: { ...base, tlsProfile: 'modern' },
  'on-demand': {
    ...base,
    features: { ...base.features, luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'] },
    onDemand: { folder: '/run/monohull/on-demand', socket: '/run/monohull/on-demand.sock' },
  },
  'dynamic-routes': {
    ...base,
    features: { ...base.features, luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'] },
    upstreams: [{ ...legacy, host: 'legacy.example.com', tls: { name: 'legacy.example.com', authorities: undefined } }],
    routes: [routeTo(toApp('app')), routeTo(toApp('app'), { host: 'api.example.com' })],
    dynamicRoutes: {
      askSocket: '/run/monohull/routes.sock',
      tellSocket: '/run/monohull/routes-changed.sock',
      namedHosts: ['www.example.com', '*.example.org'],
    },
  },
  acme: { ...base, acmeChallenges: '/run/monohull/acme-challenge' },
  sni: {
    ...base,
    certificates: {
      fallback: { names: ['main.test'], files: [{ chain: '/run/a/served.crt', key: '/run/a/served.key' }] },
      named: [
        {
          names: ['shop.test', '*.shop.test'],
          files: [
            { chain: '/run/b/served.crt', key: '/run/b/served.key' },
            { chain: '/run/c/served.crt', key: '/run/c/served.key' },
          ],
        },
      ],
    },
  },
  'client-certificates': {
    ...base,
    routes: [
      routeTo(toApp('app')),
      { ...routeTo(toApp('app')), path: '/open', rules: { clientCertificate: 'optional' } },
    ],
    front: {
      ...plainFront,
      clientCertificates: { mode: 'required', authorities: 'CA\n', revoked: 'CRL\n' },
      hsts: { value: 'max-age=300', from: 'everywhere' },
    },
  },
  'old-nginx': {
    ...base,
    features: {
      version: '1.22.1',
      hasHttp2Directive: false,
      hasMlKem: false,
      rotatesTicketKeys: false,
      luaModules: undefined,
      brotliModule: undefined,
      hasHttp3: false,
      hasMaxHeaders: false,
      brotliStaticModule: undefined,
    },
  },
  balancer: {
    ...base,
    front: {
      ...plainFront,
      trust: { proxies: ['10.0.0.0/8', 'fd00::/8'], proxyProtocol: false, forwardedHeader: true },
    },
  },
  'proxy-protocol': {
    ...base,
    front: { ...plainFront, trust: { proxies: ['10.0.0.0/8'], proxyProtocol: true, forwardedHeader: false } },
  },
  brotli: {
    ...base,
    features: { ...base.features, brotliModule: '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so' },
    front: { ...plainFront, compression: { hasBrotli: true, minLength: 1000, types: ['application/x-own'] } },
  },
  'no-compression': { ...base, front: { ...plainFront, compression: undefined } },
  limits: {
    ...base,
    features: { ...base.features, hasMaxHeaders: true },
    front: {
      ...plainFront,
      limits: { bodySize: '512k', rate: { count: 20, per: 'm', burst: 5 }, connections: 8 },
      access: {
        basicAuth: { file: '/app/my htpasswd', realm: 'Staff only' },
        allow: ['10.0.0.0/8'],
        deny: ['10.6.6.6'],
      },
      unknownHost: { status: 421, known: ['example.com', '*.example.com'] },
      errorPages: new Map([
        ['404', '<!doctype html>\nNot here\n'],
        ['429', '<!doctype html>\nSlowly\n'],
      ]),
    },
  },
  cache: {
    ...base,
    front: {
      ...plainFront,
      cache: {
        ttlSeconds: 60,
        key: '$host$request_uri',
        maxSize: '1g',
        staleWhileRevalidate: true,
        cookies: 'bypass',
      },
      sendFiles: new Map([['/protected/', '/app/my files/']]),
    },
  },
  'route-rules': {
    ...base,
    apps: [{ ...app, balance: 'sticky' }],
    features: { ...base.features, brotliModule: '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so' },
    front: {
      ...plainFront,
      compression: { hasBrotli: true, minLength: 256, types: [] },
      limits: { bodySize: '1m', rate: { count: 10, per: 's', burst: 20 }, connections: 8 },
      access: { basicAuth: { file: '/app/staff', realm: 'Staff' }, allow: ['10.0.0.0/8'], deny: ['10.6.6.6'] },
      cache: ruledCache,
      errorPages: new Map([['404', '<!doctype html>\nNot here\n']]),
    },
    routes: [
      routeTo(toApp('app')),
      routeTo(toApp('app'), {
        path: '/open',
        rules: {
          bodySize: '0',
          rate: 'off',
          connections: 'off',
          basicAuth: 'off',
          allow: 'off',
          deny: [],
          headers: [],
          compression: 'off',
          cache: 'off',
        },
      }),
      routeTo(toApp('app'), {
        path: '/login',
        rules: {
          bodySize: '2k',
          rate: { count: 5, per: 'm', burst: 0 },
          connections: 2,
          basicAuth: { file: '/app/login', realm: 'Login' },
          deny: ['10.7.7.7'],
          headers: [
            { name: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
            { name: 'Content-Security-Policy', value: "default-src 'self'" },
          ],
          compression: { hasBrotli: false, minLength: 1000, types: [] },
          cache: { ...ruledCache, ttlSeconds: 0, cookies: 'ignore' },
        },
      }),
      routeTo(toFiles('/app/public', { cache: [{ pattern: '*.html', value: 'no-cache' }] }), {
        path: '/docs',
        rules: { headers: [{ name: 'X-Own', value: 'a' }] },
      }),
      routeTo({ kind: 'redirect', to: '/open', status: 308, keepsPath: true }, { path: '/was' }),
      routeTo({ kind: 'response', status: 200, body: 'hello', contentType: 'text/plain' }, { path: '/hello' }),
    ],
  },
  'no-limits': { ...base, front: { ...plainFront, limits: { ...plainFront.limits, bodySize: undefined } } },
  http3: {
    ...base,
    https: [...base.https, { address: '::', port: 443 }],
    apps: [...base.apps],
    routes: [...base.routes, routeTo(toApp('app'), { host: 'www.example.com' })],
    front: { ...plainFront, http3: { publicPort: 8443 } },
  },
  unprivileged: {
    ...base,
    user: undefined,
    accessLog: undefined,
    http: [{ address: '127.0.0.1', port: 8080 }],
    https: [{ address: '127.0.0.1', port: 8443 }],
    publicHttpsPort: 8443,
    snippets: '/app/nginx',
    health: { ...base.health, livePath: '/up', readyPath: 'off' },
  },
}

function renderAll(model: NginxModel): string {
  return [...renderNginx(model)].map(([name, text]) => `# ---- ${name}\n${text}`).join('\n')
}

const topKeys = new Set(Object.keys(JSON.parse(readFileSync(schemaFile, 'utf8')).properties))

/**
 * Lines outside of any block, but for those above the first comment, that no comment stands above with nothing but such lines
 * in between; and comments that name no key.
 */
function findUnexplained(text: string): string[] {
  const found: string[] = []
  let state: 'always' | 'explained' | 'unexplained' = 'always'
  let depth = 0
  for (const line of text.split('\n')) {
    if (depth === 0 && line.startsWith('# ')) {
      state = 'explained'
      const keys = line.slice(2).replace(/:.*/, '').split(', ')
      found.push(...keys.filter(key => !topKeys.has(key.replace(/[.[].*/, ''))))
    } else if (line === '') state = state === 'always' ? state : 'unexplained'
    else if (depth === 0 && state === 'unexplained') found.push(line)
    depth += (line.match(/\{/g)?.length ?? 0) - (line.match(/\}/g)?.length ?? 0)
  }
  return found
}

describe('domain/nginx-render', () => {
  for (const [name, model] of Object.entries(models)) {
    it(`renders ${name} as golden/${name}.conf`, () => {
      const file = join(folder, `${name}.conf`)
      const rendered = renderAll(model)
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, rendered)
      assert.equal(rendered, readFileSync(file, 'utf8'), 'see the difference; UPDATE_GOLDEN=1 accepts it')
    })
  }

  it('has no golden file that nothing renders', () => {
    assert.deepEqual(
      readdirSync(folder).sort(),
      Object.keys(models)
        .map(name => `${name}.conf`)
        .sort(),
    )
  })

  for (const [name, model] of Object.entries(models)) {
    it(`says which keys of the configuration made which lines of ${name}`, () => {
      const unexplained = [...renderNginx(model)].flatMap(([file, text]) =>
        file.startsWith('rendered/') && file.endsWith('.conf') ? findUnexplained(text) : [],
      )
      assert.deepEqual(unexplained, [])
    })
  }

  it('depends on nothing but the model', () => assert.equal(renderAll(base), renderAll(structuredClone(base))))

  it('proxies only to workers, and answers 503 without any', () => {
    assert.match(renderAll(base), /proxy_pass http:\/\/app_app;/)
    const down = renderAll(models['pool-down'] ?? assert.fail())
    assert.doesNotMatch(down, /app_app|upstream \w+ \{/)
    assert.match(down, /location \/ \{\n {4}return 503;/)
    assert.match(down, /Retry-After/)
  })

  it('keeps host, path and query in the redirect, with the port that clients see', () => {
    assert.match(renderAll(base), /return 308 https:\/\/\$host\$request_uri;/)
    assert.match(renderAll({ ...base, publicHttpsPort: 8443 }), /return 308 https:\/\/\$host:8443\$request_uri;/)
  })

  it("includes the front's headers wherever a location has headers of its own", () => {
    for (const model of Object.values(models)) {
      const locations = renderAll(model).match(/location [^{]*\{\n( {4}.*\n)*\}/g) ?? []
      const own = locations.filter(text => text.includes('add_header '))
      assert.ok(own.length > 0)
      for (const text of own) assert.match(text, /include rendered\/headers(-\d+)?\.conf;/)
    }
  })

  it('answers health before the redirect and before the app', () => {
    const rendered = renderNginx(base)
    for (const part of [rendered.get('rendered/http.conf'), rendered.get('rendered/site.conf')]) {
      for (const path of ['/healthz', '/readyz']) assert.match(part ?? '', new RegExp(`location = ${path} \\{`))
    }
  })
})

describe('domain/nginx-model: routesByHost', () => {
  const route = (host: string | undefined, path: string, app: string) => routeTo(toApp(app), { host, path })

  it('gives a host its own routes, and those for any host where it has none', () => {
    const routes = [
      route(undefined, '/', 'web'),
      route('a.example', '/', 'a'),
      route(undefined, '/api', 'api'),
      route('b.example', '/x', 'b'),
    ]
    const told = routesByHost(routes).map(site => [
      site.host,
      ...site.routes.map(({ path, target }) => `${path} ${target.kind === 'app' && target.name}`),
    ])
    assert.deepEqual(told, [
      [undefined, '/ web', '/api api'],
      ['a.example', '/ a', '/api api'],
      ['b.example', '/x b', '/ web', '/api api'],
    ])
  })
})

describe('domain/nginx-model: readFeatures', () => {
  const outputs: [string, Partial<NginxFeatures>][] = [
    [
      'nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.17 1 Jul 2025\nTLS SNI support enabled',
      { version: '1.22.1', hasHttp2Directive: false, hasMlKem: false, rotatesTicketKeys: false },
    ],
    [
      'nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.5.4 30 Sep 2025',
      { version: '1.26.3', hasHttp2Directive: true, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.0.15 3 Sep 2024 (running with OpenSSL 3.5.1 1 Jul 2025)',
      { version: '1.26.3', hasHttp2Directive: true, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.25.0\nbuilt with OpenSSL 4.0.0',
      { version: '1.25.0', hasHttp2Directive: false, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.25.1',
      { version: '1.25.1', hasHttp2Directive: true, hasMlKem: false, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/2.0.0 (Ubuntu)',
      { version: '2.0.0', hasHttp2Directive: true, hasMlKem: false, rotatesTicketKeys: true },
    ],
    ['something else', { version: '0.0.0', hasHttp2Directive: false, hasMlKem: false, rotatesTicketKeys: false }],
  ]
  for (const [text, features] of outputs) {
    it(`reads ${text.replaceAll('\n', ' | ')}`, () =>
      assert.deepEqual(readFeatures(text, no, no), {
        ...features,
        luaModules: undefined,
        brotliModule: undefined,
        brotliStaticModule: undefined,
        hasHttp3: false,
        hasMaxHeaders: false,
      }))
  }

  it('finds directives that no version tells of', () => {
    const hasDirective = readDirectives(['/nonexistent', '/usr/sbin'])
    assert.deepEqual([hasDirective('worker_processes'), hasDirective('no_such_directive')], [true, false])
    assert.equal(readDirectives(['/nonexistent'])('worker_processes'), false)
    const features = readFeatures('nginx version: nginx/1.22.1', no, name => name === 'max_headers')
    assert.equal(features.hasMaxHeaders, true)
  })

  it('finds Lua beside nginx, or built in', () => {
    const debian =
      'nginx version: nginx/1.26.3\nconfigure arguments: --prefix=/usr/share/nginx --modules-path=/usr/lib/nginx/modules --with-threads'
    const files = ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so']
    assert.deepEqual(readFeatures(debian, path => files.includes(path), no).luaModules, files)
    assert.equal(readFeatures(debian, path => path === files[0], no).luaModules, undefined)
    assert.equal(readFeatures('nginx version: nginx/1.26.3', () => true, no).luaModules, undefined)
    const openresty = 'nginx version: openresty/1.27.1.1\nconfigure arguments: --add-module=../ngx_lua-0.10.27'
    assert.deepEqual(readFeatures(openresty, no, no).luaModules, [])
  })
})
