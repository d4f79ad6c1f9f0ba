import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accepted, refusedOnce, yaml } from '../site/load-config.ts'

/** Value of `app.env.A` if the file contains `text` for it. */
const variable = (text: string) => accepted(yaml(`app:\n  env:\n    A: ${text}\n`)).app.env.A

describe('config/intended-values: text where text is meant', () => {
  const numbers = '01234 1.10 12345678901234567890 7e12 7e12345 +4912345678 0x1F 0o17 1_000 -0 .inf 1.0 True FALSE yes'
  for (const text of [...numbers.split(' '), '22:22', '2024-01-01'])
    it(`leaves the variable ${text} as written`, () => assert.equal(variable(text), text))

  it('leaves quoted and multi-line variables', () => {
    assert.equal(variable('"01234"'), '01234')
    assert.equal(variable('|\n      line1\n      line2'), 'line1\nline2\n')
  })

  it('leaves what an alias or a merge key repeats', () => {
    const { app, processes, http_port } = accepted(
      yaml(`x-port: &port 0o17
x-env: &env { B: 1.10 }
http_port: *port
app:
  env: { <<: *env, A: *port }
processes:
  queue: { command: q, env: *env }
`),
    )
    assert.deepEqual({ ...app.env }, { B: '1.10', A: '0o17' })
    assert.deepEqual({ ...processes.queue?.env }, { B: '1.10' })
    assert.equal(http_port, 15)
  })

  it('leaves words of commands, headers and users', () => {
    const { app, headers } = accepted(
      yaml('app: {command: [node, 1.10, true], user: 0123}\nheaders: {X-Version: 1.10}'),
    )
    assert.deepEqual(app.command, ['node', '1.10', 'true'])
    assert.equal(app.user, '0123')
    assert.equal(headers['X-Version'], '1.10')
  })

  it('treats a name without a value as absent', () => {
    assert.deepEqual({ ...accepted(yaml('app: {env: {A: , B: null, C: ~, D: ""}}')).app.env }, { D: '' })
  })
})

describe('config/intended-values: other spellings', () => {
  const spellings: [string, (config: ReturnType<typeof accepted>) => unknown, unknown][] = [
    ['access_log: off', config => config.access_log, false],
    ['access_log: No', config => config.access_log, false],
    ['http3: yes', config => config.http3, true],
    ['https: false', config => config.https, 'off'],
    ['https: no', config => config.https, 'off'],
    ['app: {workers: "4"}', config => config.app.workers, 4],
    ['app: {workers: {min: "2", max: "4"}}', config => config.app.workers, { min: 2, max: 4 }],
    ['http_port: "80"', config => config.http_port, 80],
    ['{unknown_host: 421, server_names: [a.test]}', config => config.unknown_host, '421'],
    ['max_body_size: 10MB', config => config.max_body_size, '10m'],
    ['max_body_size: 1.5GiB', config => config.max_body_size, '1536m'],
    ['max_body_size: off', config => config.max_body_size, 'off'],
    ['cache: {max_size: 512Mi}', config => config.cache?.max_size, '512m'],
    ['app: {max_memory: 512m}', config => config.app.max_memory, 512 * 2 ** 20],
    ['app: {env: [A=1, B=x=y, C, D=]}', config => ({ ...config.app.env }), { A: '1', B: 'x=y', D: '' }],
    ['x-note: [kept for, later]', config => config.http_port, 80],
  ]
  for (const [text, read, value] of spellings)
    it(`accepts ${text}`, () => assert.deepEqual(read(accepted(yaml(text))), value))

  it('accepts a byte order mark', () => {
    assert.equal(accepted(yaml('\uFEFFhttp_port: 81\n')).http_port, 81)
  })

  it('accepts switches of variables and flags', () => {
    const { access_log, https, http3 } = accepted({
      env: { MONOHULL_ACCESS_LOG: 'off', MONOHULL_HTTPS: 'false' },
      flags: { http3: 'no' },
    })
    assert.deepEqual({ access_log, https, http3 }, { access_log: false, https: 'off', http3: false })
  })

  it('accepts lists with a line per item in files', () => {
    const env = { MONOHULL_SERVER_NAMES_FILE: '/names' }
    const config = accepted({ env, readFile: () => 'a.test\r\nb.test\n' })
    assert.deepEqual(config.server_names, ['a.test', 'b.test'])
  })

  it('rejects sections as lists of anything else', () => {
    assert.equal(refusedOnce(yaml('processes: [queue]')).key, 'processes')
    for (const [text, key] of [
      ['app: {env: [{A: 1}]}', 'app.env'],
      ['app: {env: [A=1, 2]}', 'app.env'],
      ['headers: [1]', 'headers'],
      ['headers: [X-A=1, X-B]', 'headers'],
      ['error_pages: [404]', 'error_pages'],
      ['send_files: [/app]', 'send_files'],
      ['routes: [{path: /, headers: [X-A], response: {body: x}}]', 'routes.0.headers'],
    ] as const)
      assert.equal(refusedOnce(yaml(text)).key, key)
    assert.deepEqual({ ...accepted(yaml('app: {env: [A=1, HOME]}')).app.env }, { A: '1' })
  })
})
