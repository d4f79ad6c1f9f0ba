import type { NginxModel } from '../../../../supervisor/site/model.ts'
import { plainFront } from '../../../front-rules.ts'
import { routeTo, toApp, toUpstream } from '../../../routes.ts'
import { app, plainModel } from './plain-model.ts'

/** Apps and upstreams that do not speak HTTP, by the name of the golden file. */
export const protocolModels: Record<string, NginxModel> = {
  protocols: {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'],
    },
    httpMode: 'serve',
    retrySocket: '/run/monohull/retry.sock',
    filtersResponses: true,
    apps: [
      { ...app, name: 'calls', protocol: 'grpc' },
      { ...app, name: 'wsgi', protocol: 'uwsgi', balance: 'sticky' },
      { ...app, name: 'cgi', protocol: 'fastcgi' },
    ],
    upstreams: [
      {
        name: 'partner',
        servers: [{ address: '10.0.0.9:443', weight: 1, isBackup: false }],
        balance: 'round_robin',
        keepalive: 32,
        protocol: 'grpc',
        tries: 2,
        maxFails: 1,
        failTimeoutSeconds: 10,
        host: 'partner.example.com',
        tls: { name: 'partner.example.com', authorities: '/etc/ssl/certs/ca-certificates.crt' },
      },
    ],
    routes: [
      routeTo(toApp('calls', { readTimeoutMs: 300_000 }), { path: '/calls.Echo' }),
      routeTo(toApp('wsgi', { buffering: 'off', headSize: '128k' }), {
        path: '/wsgi',
        rules: { basicAuth: { file: '/run/secrets/htpasswd', realm: 'Staff', forwards: false } },
      }),
      routeTo(toApp('cgi')),
      routeTo(toUpstream('partner'), { path: '/partner.Orders' }),
    ],
    front: {
      ...plainFront,
      clientCertificates: { mode: 'optional', authorities: 'PEM', revoked: undefined },
    },
  },
}
