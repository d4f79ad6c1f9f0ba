import type { NginxModel } from '../../../../supervisor/site/model.ts'
import { plainFront } from '../../../front-rules.ts'
import { routeTo, toApp } from '../../../routes.ts'
import { plainModel } from './plain-model.ts'

/** Certificates, of either side. By the name of the golden file. */
export const tlsModels: Record<string, NginxModel> = {
  modern: { ...plainModel, tlsProfile: 'modern' },
  acme: { ...plainModel, acmeChallenges: '/run/monohull/acme-challenge' },
  'acme-shared': {
    ...plainModel,
    acmeChallenges: '/run/monohull/acme-challenge',
    sharedChallenges: '/run/monohull/acme-challenge.sock',
  },
  sni: {
    ...plainModel,
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
  'on-demand': {
    ...plainModel,
    features: {
      ...plainModel.features,
      luaModules: ['/modules/ndk_http_module.so', '/modules/ngx_http_lua_module.so'],
    },
    onDemand: { directory: '/run/monohull/on-demand', socket: '/run/monohull/on-demand.sock' },
  },
  'client-certificates': {
    ...plainModel,
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
}
