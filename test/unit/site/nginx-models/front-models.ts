import type { Cache } from '../../../../supervisor/front/cache/cache.ts'
import type { NginxModel } from '../../../../supervisor/site/model.ts'
import { plainFront } from '../../../front-rules.ts'
import { routeTo, toApp, toFiles } from '../../../routes.ts'
import { app, plainModel } from './plain-model.ts'

const ruledCache: Cache = {
  ttlSeconds: 60,
  key: '$host$request_uri',
  maxSize: '1g',
  staleWhileRevalidate: true,
  cookies: 'bypass',
  hasLua: true,
}

/** What holds for every request, or for those of one route. By the name of the golden file. */
export const frontModels: Record<string, NginxModel> = {
  brotli: {
    ...plainModel,
    features: { ...plainModel.features, brotliModule: '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so' },
    front: {
      ...plainFront,
      compression: { hasBrotli: true, minLength: 1000, types: ['application/x-own'], skipsWithCookies: true },
    },
  },
  'no-compression': { ...plainModel, front: { ...plainFront, compression: undefined } },
  limits: {
    ...plainModel,
    features: { ...plainModel.features, hasMaxHeaders: true, hasKeepaliveMinTimeout: true },
    front: {
      ...plainFront,
      limits: { bodySize: '512k', rate: { count: 20, per: 'm', burst: 5 }, connections: 8, requests: 3584 },
      access: {
        basicAuth: { file: '/app/my htpasswd', realm: 'Staff only', forwards: false },
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
  'no-limits': { ...plainModel, front: { ...plainFront, limits: { ...plainFront.limits, bodySize: undefined } } },
  cache: {
    ...plainModel,
    front: {
      ...plainFront,
      cache: {
        ttlSeconds: 60,
        key: '$host$request_uri',
        maxSize: '1g',
        staleWhileRevalidate: true,
        cookies: 'bypass',
        hasLua: true,
      },
      sendFiles: new Map([['/protected/', '/app/my files/']]),
    },
  },
  'cache-alone': {
    ...plainModel,
    apps: [{ name: 'app', servers: [], keepalive: 32, balance: 'least_conn' }],
    front: { ...plainFront, cache: ruledCache, errorPages: new Map([['404', '<!doctype html>\nNot here\n']]) },
    routes: [
      routeTo(toApp('app')),
      routeTo(toApp('app'), { path: '/upload', rules: { bodySize: '1g' } }),
      routeTo(toApp('app'), { path: '/api', rules: { cache: 'off' } }),
    ],
  },
  'route-rules': {
    ...plainModel,
    apps: [{ ...app, balance: 'sticky' }],
    features: { ...plainModel.features, brotliModule: '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so' },
    front: {
      ...plainFront,
      compression: { hasBrotli: true, minLength: 256, types: [], skipsWithCookies: false },
      limits: { bodySize: '1m', rate: { count: 10, per: 's', burst: 20 }, connections: 8, requests: 3584 },
      access: {
        basicAuth: { file: '/app/staff', realm: 'Staff', forwards: false },
        allow: ['10.0.0.0/8'],
        deny: ['10.6.6.6'],
      },
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
          basicAuth: { file: '/app/login', realm: 'Login', forwards: false },
          deny: ['10.7.7.7'],
          headers: [
            { name: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
            { name: 'Content-Security-Policy', value: "default-src 'self'" },
          ],
          compression: { hasBrotli: false, minLength: 1000, types: [], skipsWithCookies: false },
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
}
