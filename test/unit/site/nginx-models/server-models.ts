import { accessRules } from '../../../../supervisor/logs/access-rules.ts'
import type { NginxModel } from '../../../../supervisor/site/model.ts'
import { plainFront } from '../../../front-rules.ts'
import { routeTo, toApp, toFiles } from '../../../routes.ts'
import { plainModel } from './plain-model.ts'

/** Ports, protocols and what is in front of nginx or lacks in it. By the name of the golden file. */
export const serverModels: Record<string, NginxModel> = {
  redirect: plainModel,
  'https-on': {
    ...plainModel,
    httpMode: 'serve',
    publicHttpsPort: 8443,
    accessLog: { path: '/dev/stdout', format: 'json', ...accessRules(true) },
  },
  'access-log-rules': {
    ...plainModel,
    accessLog: {
      path: '/dev/stdout',
      format: 'json',
      fields: ['uri', 'status', 'trace_id'],
      excludedPaths: ['/healthz', '/assets/v1.0/*'],
      redacted: ['query', 'remote_addr'],
      sample: 0.125,
    },
  },
  spans: {
    ...plainModel,
    traces: { share: 0.25, spanFile: '/run/monohull/nginx/spans.log' },
  },
  'https-off': { ...plainModel, httpMode: 'serve', https: [], certificates: undefined },
  ipv6: {
    ...plainModel,
    http: [...plainModel.http, { address: '::', port: 80 }],
    https: [...plainModel.https, { address: '::1', port: 443 }],
  },
  http3: {
    ...plainModel,
    https: [...plainModel.https, { address: '::', port: 443 }],
    apps: [...plainModel.apps],
    routes: [...plainModel.routes, routeTo(toApp('app'), { host: 'www.example.com' })],
    front: { ...plainFront, http3: { publicPort: 8443 } },
  },
  unprivileged: {
    ...plainModel,
    user: undefined,
    accessLog: undefined,
    http: [{ address: '127.0.0.1', port: 8080 }],
    https: [{ address: '127.0.0.1', port: 8443 }],
    publicHttpsPort: 8443,
    snippets: '/app/nginx',
    health: { ...plainModel.health, livePath: '/up', readyPath: 'off' },
  },
  'old-nginx': {
    ...plainModel,
    features: {
      version: '1.22.1',
      hasHttp2Directive: false,
      hasMlKem: false,
      rotatesTicketKeys: false,
      luaModules: undefined,
      brotliModule: undefined,
      hasHttp3: false,
      hasMaxHeaders: false,
      hasKeepaliveMinTimeout: false,
      hasStatus: false,
      brotliStaticModule: undefined,
    },
  },
  counted: {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'],
    },
    statusSocket: '/run/monohull/nginx-status.sock',
    retrySocket: '/run/monohull/retry.sock',
    filtersResponses: true,
    requestCounter: { hasHosts: true, makesIds: true },
    routes: [
      ...plainModel.routes,
      routeTo(toFiles('/srv/files'), { path: '/files' }),
      routeTo(
        { kind: 'response', status: 200, body: 'ok', contentType: 'text/plain' },
        { path: '/ok', match: 'exact' },
      ),
      routeTo(toApp('app'), { host: 'www.example.com' }),
    ],
  },
  balancer: {
    ...plainModel,
    front: {
      ...plainFront,
      trust: { proxies: ['10.0.0.0/8', 'fd00::/8'], proxyProtocol: false, forwardedHeader: true },
    },
  },
  'proxy-protocol': {
    ...plainModel,
    health: {
      ...plainModel.health,
      ports: ['0.0.0.0', '::'].map(address => ({ address, port: 8081 })),
    },
    front: { ...plainFront, trust: { proxies: ['10.0.0.0/8'], proxyProtocol: true, forwardedHeader: false } },
  },
}
