import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatProblems } from '../../../supervisor/config/report.ts'
import { accepted, acceptedApps, refused, refusedOnce, yaml } from './load-config.ts'

const two = 'apps: {web: {workers: 1}, api-v2: {workers: 2}}\nroutes: [{app: web}, {path: /api, app: api-v2}]\n'

describe('config: apps', () => {
  it('treats app as the only one of apps', () => {
    const config = acceptedApps(yaml('app: {workers: 3}'))
    assert.deepEqual(config.apps, acceptedApps(yaml('apps: {app: {workers: 3}}')).apps)
    assert.equal('app' in config, false)
  })

  it('merges the keys of another app, under its own', () => {
    const { apps } = acceptedApps(
      yaml('apps: {web: &base {workers: 1, timeout: 5s}, api: {<<: *base, workers: 2}}\nroutes: [{app: web}]'),
    )
    assert.deepEqual([apps.api?.workers, apps.api?.timeout], [2, 5000])
  })

  it('has all keys of an app below each name, and a variable for each', () => {
    const env = {
      MONOHULL_APPS_API_V2_WORKERS: '4',
      MONOHULL_APPS_WEB_BACKOFF_MAX: '1m',
      MONOHULL_APPS_WEB_COMMAND: 'node "a b.js"',
    }
    const { apps } = acceptedApps({ env, ...yaml(two) })
    assert.deepEqual([apps.web?.workers, apps['api-v2']?.workers], [1, 4])
    assert.deepEqual([apps.web?.backoff.max, apps.web?.command], [60_000, ['node', 'a b.js']])
    assert.equal(apps.web?.graceful_timeout, 8000)
  })

  it('applies variables, flags and the command to the app called app, even with others', () => {
    const sources = { ...yaml('apps: {app: {}, api: {workers: 1}}'), env: { MONOHULL_WORKERS: '5' } }
    const { app } = accepted({ ...sources, flags: { 'app.listen': 'port' }, command: ['node', 'x.js'] })
    assert.deepEqual([app.workers, app.listen, app.command], [5, 'port', ['node', 'x.js']])
  })

  it('rejects keys for app if apps has other names, with a fix', () => {
    const sources: [Parameters<typeof refused>[0], string][] = [
      [{ env: { MONOHULL_WORKERS: '5' } }, 'MONOHULL_WORKERS'],
      [{ flags: { 'app.workers': '5' } }, '--workers'],
      [{ command: ['node', 'x.js'] }, 'the command line'],
    ]
    for (const [source, from] of sources) {
      const problem = refusedOnce({ ...source, ...yaml(two) })
      assert.equal(problem.source, from)
      assert.equal(problem.problem, 'configures the app named app, which apps does not contain')
      assert.match(problem.fix, /^set apps\.web\.… in the file, or MONOHULL_APPS_WEB_…/)
    }
    const both = refusedOnce(yaml('app: {env: {A: hunter2}, backoff: {}}\napps: {web: {env: {B: hunter2}}}'))
    assert.equal(both.source, 'monohull.yaml:1')
    assert.doesNotMatch(formatProblems([both]), /hunter2/)
  })

  it('ignores WEB_CONCURRENCY if no app is called app', () => {
    assert.equal(acceptedApps({ env: { WEB_CONCURRENCY: '9' }, ...yaml(two) }).apps.web?.workers, 1)
    assert.equal(accepted({ env: { WEB_CONCURRENCY: '9' }, ...yaml('apps: {app: {}, b: {}}') }).app.workers, 9)
  })

  it('keeps an app whose lines are all commented out', () => {
    assert.deepEqual(Object.keys(acceptedApps(yaml('apps:\n  web:\n    # workers: 2\n  api:\n')).apps), ['web', 'api'])
  })

  it('reports a misspelt key and an invalid value below a name', () => {
    const problems = refused(yaml('apps:\n  web:\n    worker: 1\n  api:\n    keepalive: -1\n'))
    assert.deepEqual(
      problems.map(({ key, source, fix }) => [key, source, fix]),
      [
        ['apps.web.worker', 'monohull.yaml:3', 'did you mean apps.web.workers?'],
        ['apps.api.keepalive', 'monohull.yaml:5', 'set apps.api.keepalive to a whole number from 0 to 4096'],
      ],
    )
  })

  it('never prints values of env', () => {
    for (const text of ['apps: {web: {env: {PASSWORD: [hunter2]}}}', 'apps: {web: {env: PASSWORD=hunter2}}'])
      assert.doesNotMatch(formatProblems(refused(yaml(text))), /hunter2/)
  })

  const badNames = ['Web', 'a_b', 'a--b', '-a', 'a.b', 'ä', 'init', 'a'.repeat(33)]
  for (const name of badNames) {
    it(`rejects ${name} as a name`, () => {
      assert.match(refusedOnce(yaml(`apps: {"${name}": {}}`)).problem, /^expected /)
    })
  }

  it('rejects a variable for an app that the file does not define', () => {
    const unknown = refusedOnce({ env: { MONOHULL_APPS_WEBB_WORKERS: '1' }, ...yaml(two) })
    assert.equal(unknown.fix, 'did you mean MONOHULL_APPS_WEB_WORKERS?')
  })

  it('rejects an empty map', () => assert.equal(refusedOnce(yaml('apps: {}')).problem, 'expected at least one app'))
})

describe('config: routes', () => {
  const routesOf = (text: string) =>
    acceptedApps(yaml(text)).routes.map(({ path, target }) => `${path} ${'name' in target && target.name}`)

  it('send every request to the only app, else to web, else to app', () => {
    assert.deepEqual(routesOf(''), ['/ app'])
    assert.deepEqual(routesOf('apps: {shop: {}}'), ['/ shop'])
    assert.deepEqual(routesOf('apps: {api: {}, app: {}, web: {}}'), ['/ web'])
    assert.deepEqual(routesOf('apps: {api: {}, app: {}}'), ['/ app'])
  })

  it('are required if there is no default app', () => {
    const problem = refusedOnce(yaml('apps: {shop: {}, api: {}}'))
    assert.equal(problem.problem, 'has no app for requests: choose between shop, api')
    assert.match(problem.fix, /^set routes, such as \[\{path: \/, app: shop\}, \{path: \/api, app: api\}\]/)
  })

  it('have a path without a trailing slash, and a host in lower case', () => {
    const { routes } = acceptedApps(yaml('routes: [{path: /api/, app: app, host: WWW.Example.com}, {app: app}]'))
    assert.deepEqual(
      routes.map(({ origin, host, path }) => [origin, host, path]),
      [
        ['routes[0]', 'www.example.com', '/api'],
        ['routes[1]', undefined, '/'],
      ],
    )
  })

  const wrong: [string, string, RegExp][] = [
    [
      '[{path: /a, app: app}, {path: /a/, app: app}]',
      'routes.1.path',
      /^repeats the host and path of routes\.0 \(monohull\.yaml:2\)$/,
    ],
    ['[{path: /readyz, app: app}]', 'routes.0.path', /^is health\.ready_path, which monohull responds to/],
    ['[{app: nobody}]', 'routes.0.app', /is not an app of this configuration/],
    ['[{path: api, app: app}]', 'routes.0.path', /^expected a path/],
    ['[{path: "", app: app}]', 'routes.0.path', /^expected a path/],
    ['[{path: "/a b", app: app}]', 'routes.0.path', /^expected a path/],
    ['[{path: "/a$b", app: app}]', 'routes.0.path', /^expected a path/],
    ['[{path: //a, app: app}]', 'routes.0.path', /^expected a path/],
    ['[{path: /a}]', 'routes.0', /^has no target/],
    ['[{host: "a b", app: app}]', 'routes.0.host', /^expected a host name/],
    ['{/api: app}', 'routes', /^expected a list of routes/],
    ['[]', 'routes', /^expected at least one route/],
    ['[{app: app, pth: /x}]', 'routes.0.pth', /is not a known key/],
  ]
  for (const [text, key, message] of wrong) {
    it(`reject ${text}`, () => {
      const problem = refusedOnce(yaml(`# first\nroutes: ${text}`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, message)
      assert.equal(problem.source, 'monohull.yaml:2')
      assert.notEqual(problem.fix, '')
    })
  }

  it('may have the same path for another host', () => {
    assert.equal(acceptedApps(yaml('routes: [{app: app}, {app: app, host: a.example}]')).routes.length, 2)
  })
})
