import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Problem } from '../../../supervisor/config/report.ts'
import { scalarKeys } from '../../../supervisor/site/config.ts'
import { accepted, refused, refusedOnce, yaml } from './load-config.ts'

describe('config/load: sources', () => {
  it('needs no source at all', () => {
    const config = accepted({})
    assert.equal(config.http_port, 80)
    assert.equal(config.https, 'redirect')
    assert.equal(config.app.workers, 'auto')
    assert.equal(config.app.command, undefined)
    assert.equal(config.app.graceful_timeout, 8000)
    assert.deepEqual(config.app.backoff, { initial: 200, max: 30_000 })
    assert.equal(config.run_dir, '/run/monohull')
  })

  it('prefers yaml to the installation, variables to yaml, flags to variables', () => {
    const defaults = { http_port: 8080, https_port: 8443 }
    const file = yaml('http_port: 8081').file
    const env = { MONOHULL_HTTP_PORT: '8082' }
    assert.equal(accepted({ defaults }).http_port, 8080)
    assert.equal(accepted({ defaults, file }).http_port, 8081)
    assert.equal(accepted({ defaults, file, env }).http_port, 8082)
    const config = accepted({ defaults, file, env, flags: { http_port: '8083' } })
    assert.equal(config.http_port, 8083)
    assert.equal(config.https_port, 8443)
  })

  it('merges sections key by key', () => {
    const config = accepted({
      defaults: { 'app.directory': '/app' },
      ...yaml('app:\n  workers: 3\n  keepalive: 0\n  backoff: {initial: 1s}'),
      env: { MONOHULL_WORKERS: '4', MONOHULL_BACKOFF_MAX: '1m' },
    })
    assert.equal(config.app.workers, 4)
    assert.equal(config.app.keepalive, 0)
    assert.equal(config.app.directory, '/app')
    assert.deepEqual(config.app.backoff, { initial: 1000, max: 60_000 })
  })

  it('prefers the command of the command line, word for word, to every other', () => {
    const config = accepted({
      ...yaml('app: {command: [node, yaml.js]}'),
      env: { MONOHULL_COMMAND: 'node variable.js' },
      command: ['node', 'a b.js', '--flag'],
    })
    assert.deepEqual(config.app.command, ['node', 'a b.js', '--flag'])
  })

  it('splits a command that is one string', () => {
    assert.deepEqual(accepted({ env: { MONOHULL_COMMAND: 'node "a b.js"' } }).app.command, ['node', 'a b.js'])
    assert.deepEqual(accepted(yaml('app: {command: node server.js}')).app.command, ['node', 'server.js'])
  })

  it('reads lists from variables with commas', () => {
    const env = { MONOHULL_BIND_ADDRESSES: '127.0.0.1, ::1', MONOHULL_SERVER_NAMES: 'a.example,*.b.example' }
    assert.deepEqual(accepted({ env }).bind_addresses, ['127.0.0.1', '::1'])
    assert.deepEqual(accepted({ env }).server_names, ['a.example', '*.b.example'])
  })

  it('reads booleans from variables', () => {
    const config = accepted({ env: { MONOHULL_ACCESS_LOG: 'false', MONOHULL_TLS_REQUIRED: 'true' } })
    assert.equal(config.access_log, false)
    assert.equal(config.tls.required, true)
  })

  it('reads off as a word for https', () => {
    assert.equal(accepted(yaml('https: off')).https, 'off')
    assert.equal(accepted({ env: { MONOHULL_HTTPS: 'off' } }).https, 'off')
  })

  it('converts numbers and booleans in app.env to texts', () => {
    const config = accepted(yaml('app: {env: {A: 1, B: true, C: text, D: {file: /run/secrets/d}}}'))
    assert.deepEqual(config.app.env, { A: '1', B: 'true', C: 'text', D: { file: '/run/secrets/d' } })
  })

  it('treats an empty file as one without keys', () => {
    assert.equal(accepted(yaml('')).http_port, 80)
    assert.equal(accepted(yaml('# nothing yet\n')).http_port, 80)
  })
})

describe('config/load: variables', () => {
  it('gives every scalar key a variable and a flag of its own', () => {
    const keys = scalarKeys()
    assert.equal(new Set(keys.map(key => key.variable)).size, keys.length)
    assert.equal(new Set(keys.map(key => key.flag)).size, keys.length)
    for (const { key, variable, flag, description } of keys) {
      assert.match(variable, /^MONOHULL_[A-Z0-9_]+$/)
      assert.match(flag, /^--[a-z0-9-]+$/)
      assert.notEqual(description, '', `${key} has no description`)
    }
    const names = new Map(keys.map(({ key, variable, flag }) => [key, `${variable} ${flag}`]))
    assert.equal(names.get('app.workers'), 'MONOHULL_WORKERS --workers')
    assert.equal(names.get('app.backoff.max'), 'MONOHULL_BACKOFF_MAX --backoff-max')
    assert.equal(names.get('tls.required'), 'MONOHULL_TLS_REQUIRED --tls-required')
  })

  it('rejects an impossible value for every scalar, by variable and by flag', () => {
    const anyText = new Set(['app.directory', 'app.user', 'app.command', 'nginx.snippets'])
    for (const { key, variable, flag } of scalarKeys()) {
      const bad = anyText.has(key) ? '' : '\u0000 not this'
      const own = (problem: Problem) => new RegExp(`^${key}(\\.0)?$`).test(problem.key)
      const byVariable = refused({ env: { [variable]: bad } }).find(own)
      assert.equal(byVariable?.source, variable, key)
      const byFlag = refused({ flags: { [key]: bad } }).find(own)
      assert.equal(byFlag?.source, flag, key)
    }
  })

  it('uses WEB_CONCURRENCY for the workers unless MONOHULL_WORKERS is set', () => {
    assert.equal(accepted({ env: { WEB_CONCURRENCY: '3' }, ...yaml('app: {workers: 7}') }).app.workers, 3)
    assert.equal(accepted({ env: { WEB_CONCURRENCY: 'x', MONOHULL_WORKERS: '2' } }).app.workers, 2)
    assert.equal(refusedOnce({ env: { WEB_CONCURRENCY: 'three' } }).source, 'WEB_CONCURRENCY')
  })

  it('ignores variables of Kubernetes for a service called monohull, and foreign ones', () => {
    const env = {
      MONOHULL_SERVICE_HOST: '10.0.0.1',
      MONOHULL_SERVICE_PORT: '443',
      MONOHULL_SERVICE_PORT_HTTPS: '443',
      MONOHULL_PORT: 'tcp://10.0.0.1:443',
      MONOHULL_PORT_443_TCP: 'tcp://10.0.0.1:443',
      MONOHULL_PORT_443_TCP_PROTO: 'tcp',
      MONOHULL_CONFIG: '/etc/monohull.yaml',
      MONOHULL_IMAGE: '1',
      HTTP_PORT: 'x',
    }
    assert.deepEqual(accepted({ env }), accepted({}))
  })

  it('rejects an unknown variable, and suggests one', () => {
    const problem = refusedOnce({ env: { MONOHULL_WORKER: '3' } })
    assert.equal(problem.key, 'MONOHULL_WORKER')
    assert.equal(problem.fix, 'did you mean MONOHULL_WORKERS?')
    assert.match(refusedOnce({ env: { MONOHULL_DATABASE_PASSWORD: 'hunter2' } }).fix, /^remove it/)
  })
})

describe('config/load: values in files', () => {
  const readFile = (path: string) => (path === '/run/secrets/n' ? '5\n' : assert.fail(`ENOENT: ${path}`))

  it('reads the file that *_FILE names, without the trailing line break', () => {
    assert.equal(accepted({ env: { MONOHULL_WORKERS_FILE: '/run/secrets/n' }, readFile }).app.workers, 5)
  })

  it('names the variable of an unreadable file', () => {
    const problem = refusedOnce({ env: { MONOHULL_WORKERS_FILE: '/nowhere' }, readFile })
    assert.equal(problem.source, 'MONOHULL_WORKERS_FILE')
    assert.equal(problem.value, '/nowhere')
    assert.match(problem.problem, /ENOENT/)
  })

  it('rejects a variable together with its file', () => {
    const env = { MONOHULL_WORKERS: '2', MONOHULL_WORKERS_FILE: '/run/secrets/n' }
    const problem = refusedOnce({ env, readFile })
    assert.equal(problem.source, 'MONOHULL_WORKERS and MONOHULL_WORKERS_FILE')
    assert.equal(problem.fix, 'unset one of them')
  })
})
