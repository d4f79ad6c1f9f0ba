import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accessRules } from '../../../supervisor/logs/access-rules.ts'
import { accepted, refusedOnce, yaml } from './load-config.ts'

describe('config/load: access_log', () => {
  it('is a switch, or rules with defaults', () => {
    assert.equal(accepted({}).access_log, true)
    assert.equal(accepted(yaml('access_log: off')).access_log, false)
    assert.equal(accepted({ env: { MONOHULL_ACCESS_LOG: 'false' } }).access_log, false)
    const { access_log } = accepted(yaml('access_log: { redact: [query], sample: 0.5 }'))
    assert.deepEqual(accessRules(access_log), {
      ...accessRules(true),
      redacted: ['query'],
      sample: 0.5,
    })
  })

  const refusals: [string, RegExp][] = [
    ['{ fields: [url] }', /fields of remote_addr, method, .*uri/],
    ['{ fields: [] }', /at least one field/],
    ['{ exclude_paths: [healthz] }', /paths such as \/healthz/],
    ['{ exclude_paths: ["/a\\"b"] }', /paths such as \/healthz/],
    ['{ exclude_paths: ["/*/a"] }', /paths such as \/healthz/],
    ['{ redact: [password] }', /expected remote_addr, query, or query\.NAME/],
    ['{ redact: [query.a=b] }', /expected remote_addr, query, or query\.NAME/],
    ['{ redact: ["query.a b"] }', /expected remote_addr, query, or query\.NAME/],
    ['{ sample: 10 }', /from 0 to 1/],
  ]
  for (const [text, problem] of refusals)
    it(`rejects ${text}`, () => {
      const found = refusedOnce(yaml(`access_log: ${text}`))
      assert.match(`${found.problem} ${found.fix}`, problem)
    })
})

describe('config/load: logs', () => {
  it('has files with limits, and an address for syslog', () => {
    const { logs } = accepted(
      yaml('logs: { files: { directory: /var/log/x, max_age: 7d }, syslog: "tcp://[::1]:601" }'),
    )
    assert.deepEqual(logs.files, {
      directory: '/var/log/x',
      max_size: 100 << 20,
      max_age: 7 * 86_400_000,
      keep: 5,
      compress: true,
    })
    assert.deepEqual([logs.overflow, logs.otlp, logs.syslog], ['block', true, 'tcp://[::1]:601'])
    for (const address of ['tls://logs.example.com', 'tls://[::1]:6514'])
      assert.equal(accepted(yaml(`logs: { syslog: "${address}" }`)).logs.syslog, address)
  })

  const refusals: [string, RegExp][] = [
    ['{ files: { directory: logs } }', /absolute path/],
    ['{ files: { directory: /a, max_size: 0 } }', /amount of memory/],
    ['{ overflow: wait }', /block or drop/],
    ['{ syslog: "udp://a:514" }', /unix:\/dev\/log or tcp/],
    ['{ syslog: "tcp://logs" }', /unix:\/dev\/log or tcp/],
    ['{ syslog: "tls://" }', /or tls:/],
    ['{ syslog_ca: ca.pem }', /absolute path/],
  ]
  for (const [text, problem] of refusals)
    it(`rejects ${text}`, () => {
      const found = refusedOnce(yaml(`logs: ${text}`))
      assert.match(`${found.problem} ${found.fix}`, problem)
    })
})
