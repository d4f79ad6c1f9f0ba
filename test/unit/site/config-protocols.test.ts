import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accepted, acceptedApps, refusedOnce, yaml } from './load-config.ts'

describe('config: protocol', () => {
  it('is http unless another one is given', () => {
    const { apps, upstreams } = acceptedApps(
      yaml(`apps: {web: {command: node web.js}, calls: {command: node calls.js, protocol: grpc}}
upstreams: {far: {servers: [10.0.0.2:50051], protocol: grpc}}
routes: [{path: /, app: web}, {path: /calls.Echo, app: calls}, {path: /far.Echo, upstream: far}]`),
    )
    assert.deepEqual([apps.web?.protocol, apps.calls?.protocol, upstreams.far?.protocol], ['http', 'grpc', 'grpc'])
  })

  it('lets workers be probed without a path', () => {
    const { apps } = accepted(yaml('app: {command: ./serve, protocol: uwsgi, health: {interval: 1s}}'))
    assert.deepEqual(apps.app?.health, { interval: 1000 })
  })

  const wrong: [string, string, string, string][] = [
    [
      'app: {protocol: h2c}',
      'app.protocol',
      'expected http, fastcgi, grpc or uwsgi',
      'set app.protocol to http, fastcgi, grpc or uwsgi',
    ],
    [
      'app: {protocol: grpc, balance: sticky}',
      'app.balance',
      'is by a cookie, which gRPC clients do not keep',
      'use least_conn, or ip_hash',
    ],
    [
      'app: {protocol: grpc, health: {path: /health}}',
      'app.health.path',
      'is requested by HTTP, and the workers speak grpc',
      'remove path: health: {interval: 5s} probes them in their protocol',
    ],
    [
      'upstreams: {far: {servers: ["10.0.0.2:1"], protocol: grpc, health: {path: /health}}}',
      'upstreams.far.health',
      'requests a path by HTTP, and the servers speak grpc',
      'remove health; max_fails and fail_timeout find servers that fail',
    ],
    [
      'upstreams: {far: {servers: ["far.test:1"], protocol: fastcgi, tls: {}}}',
      'upstreams.far.tls',
      'does not exist in fastcgi: nginx speaks it without TLS',
      'remove tls, or reach the server through a tunnel',
    ],
    ...[
      'strip_prefix: true',
      'rewrite: {from: a, to: /b}',
      'response_buffering: off',
      'request_buffering: off',
      'cache: {}',
    ].map((key): [string, string, string, string] => {
      const [name = ''] = key.split(':')
      return [
        `{app: {command: ./serve, protocol: grpc}, routes: [{path: /x, app: app, ${key}}]}`,
        `routes.0.${name}`,
        'does not work with protocol: grpc of the app app',
        `remove ${name}`,
      ]
    }),
  ]
  for (const [text, key, problem, fix] of wrong)
    it(`rejects ${text}`, () => {
      const found = refusedOnce(yaml(text))
      assert.deepEqual([found.key, found.problem, found.fix], [key, problem, fix])
    })
})
