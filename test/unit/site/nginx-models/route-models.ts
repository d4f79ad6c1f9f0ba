import type { ForwardAuth } from '../../../../supervisor/front/forward-auth.ts'
import type { NginxModel } from '../../../../supervisor/site/model.ts'
import type { Upstream } from '../../../../supervisor/upstreams/upstream.ts'
import { routeTo, toApp, toFiles, toUpstream } from '../../../routes.ts'
import { plainModel } from './plain-model.ts'

const legacy: Upstream = {
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

const forwardAuth: ForwardAuth = {
  upstream: 'legacy',
  path: '/auth?x=y',
  copiedHeaders: ['Authorization'],
  signIn: { url: 'https://auth.example.com/?rd={url}' },
}
const authelia: ForwardAuth = { ...forwardAuth, copiedHeaders: ['Remote-User'], signIn: 'location' }

/** What leads where. By the name of the golden file. */
export const routeModels: Record<string, NginxModel> = {
  files: {
    ...plainModel,
    apps: [],
    routes: [routeTo(toFiles('/app/my "site"'))],
  },
  'files-in-layer': {
    ...plainModel,
    features: { ...plainModel.features, brotliStaticModule: '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so' },
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
    ...plainModel,
    httpMode: 'serve',
    apps: [
      ...plainModel.apps,
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
    ...plainModel,
    features: { ...plainModel.features, brotliStaticModule: '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so' },
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
      toApp('app', { stripsPrefix: true, readTimeoutMs: 300_000, buffering: 'on' }),
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
    ...plainModel,
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
  'no-root': { ...plainModel, routes: [routeTo(toApp('app'), { path: '/api' })] },
  'forward-auth': {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'],
    },
    filtersResponses: true,
    retrySocket: '/run/monohull/retry.sock',
    upstreams: [{ ...legacy, host: 'auth.example.com' }],
    front: { ...plainModel.front, copiedHeaders: ['Remote-User'] },
    routes: [
      routeTo(toApp('app')),
      routeTo(toApp('app'), { path: '/authelia', rules: { forwardAuth: authelia, cache: 'off' } }),
      routeTo(toUpstream('legacy'), { path: '/gone', rules: { forwardAuth: { ...authelia, upstream: 'gone' } } }),
      routeTo(toApp('app'), { path: '/any', rules: { forwardAuth, satisfiesAny: true, allow: ['10.0.0.0/8'] } }),
      routeTo(
        { kind: 'response', status: 200, body: 'x', contentType: 'text/plain' },
        { path: '/x', rules: { forwardAuth } },
      ),
    ],
  },
  'dynamic-routes': {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'],
    },
    upstreams: [{ ...legacy, host: 'legacy.example.com', tls: { name: 'legacy.example.com', authorities: undefined } }],
    routes: [routeTo(toApp('app')), routeTo(toApp('app'), { host: 'api.example.com' })],
    filtersResponses: true,
    requestCounter: { hasHosts: false, makesIds: false },
    dynamicRoutes: {
      lookupSocket: '/run/monohull/routes.sock',
      changesSocket: '/run/monohull/routes-changed.sock',
      unknown: '403',
      staleForSeconds: 600,
      namedHosts: ['www.example.com', '*.example.org', 'api.example.com'],
    },
  },
}
