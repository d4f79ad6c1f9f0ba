import type { NginxModel } from '../../../../supervisor/site/model.ts'
import { app, plainModel } from './plain-model.ts'

/** How requests come to the workers of an app, or to none. By the name of the golden file. */
export const workerModels: Record<string, NginxModel> = {
  'pool-down': { ...plainModel, apps: [{ name: 'app', servers: [], keepalive: 32, balance: 'least_conn' }] },
  'port-mode': {
    ...plainModel,
    apps: [
      {
        name: 'app',
        servers: [{ slot: 1, address: { kind: 'tcp', port: 40_001 } }],
        keepalive: 0,
        balance: 'least_conn',
      },
    ],
  },
  sticky: { ...plainModel, apps: [{ ...app, balance: 'sticky' }] },
  'ip-hash': { ...plainModel, apps: [{ ...app, balance: 'ip_hash' }] },
  'own-page': { ...plainModel, unavailable: { own: '<!doctype html>\nBack at nine\n' } },
  sleep: {
    ...plainModel,
    busyCounter: { socket: '/run/monohull/busy.sock', apps: ['app'], sleepers: ['app'] },
    filtersResponses: true,
  },
  'busy-time': {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so'],
    },
    busyCounter: { socket: '/run/monohull/busy.sock', apps: ['app'], sleepers: [] },
    filtersResponses: true,
  },
}
