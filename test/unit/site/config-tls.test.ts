import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { acmeSettingsOf } from '../../../supervisor/certificates/acme/settings.ts'
import { accepted, refused, refusedOnce, yaml } from './load-config.ts'

const acme = (text: string) => yaml(`tls:\n  acme: {${text}}\n`)

describe('tls.acme', () => {
  it('is off unless one of its keys is set', () => {
    assert.equal(acmeSettingsOf(accepted({})), undefined)
    assert.equal(acmeSettingsOf(accepted({ env: { MONOHULL_SERVER_NAMES: 'a.test' } })), undefined)
  })

  it('accepts single domains and groups', () => {
    const settings = acmeSettingsOf(accepted(acme('domains: [A.test, [b.test, www.b.test]]')))
    assert.deepEqual(settings?.plans, [
      { name: 'a.test', domains: ['a.test'] },
      { name: 'b.test', domains: ['b.test', 'www.b.test'] },
    ])
    assert.equal(settings?.directory, 'https://acme-v02.api.letsencrypt.org/directory')
  })

  it('can be set by variables alone, with server_names as domains', () => {
    const env = { MONOHULL_SERVER_NAMES: 'a.test,b.test', MONOHULL_TLS_ACME_EMAIL: 'me@a.test' }
    assert.deepEqual(
      acmeSettingsOf(accepted({ env }))?.plans.map(({ name }) => name),
      ['a.test', 'b.test'],
    )
    const other = { MONOHULL_TLS_ACME_DOMAINS: 'c.test', MONOHULL_TLS_ACME_DIRECTORY: 'https://ca.test/dir' }
    assert.equal(acmeSettingsOf(accepted({ env: other }))?.directory, 'https://ca.test/dir')
  })

  it("knows the directories of Let's Encrypt by name", () => {
    for (const [name, host] of [
      ['letsencrypt', 'acme-v02'],
      ['letsencrypt-staging', 'acme-staging-v02'],
    ]) {
      const settings = acmeSettingsOf(accepted(acme(`domains: [a.test], directory: ${name}`)))
      assert.equal(settings?.directory, `https://${host}.api.letsencrypt.org/directory`)
    }
  })

  it('includes the hosts of routes, except wildcards and addresses', () => {
    const text = `server_names: [a.test, 192.0.2.1]
routes: [{path: /, app: app}, {host: B.test, app: app}, {host: "*.c.test", app: app}]
app: {command: x}
tls: {acme: {email: me@a.test}}
`
    assert.deepEqual(
      acmeSettingsOf(accepted(yaml(text)))?.plans.map(({ name }) => name),
      ['a.test', 'b.test'],
    )
  })

  const wrong: [string, string, RegExp][] = [
    ['email: me@a.test', 'tls.acme.domains', /at least one domain/],
    ['domains: [a.test, a.test]', 'tls.acme.domains', /a\.test is listed twice/],
    ['domains: [A.test, a.test]', 'tls.acme.domains', /a\.test is listed twice/],
    ['domains: [a.test, 192.0.2.256]', 'tls.acme.domains', /192\.0\.2\.256 is neither/],
    ['domains: [192.0.2.1], challenge: dns-01, dns_hook: x', 'tls.acme.challenge', /dns-01 cannot validate an address/],
    ['domains: [192.0.2.1, 192.0.2.1]', 'tls.acme.domains', /192\.0\.2\.1 is listed twice/],
    ["domains: ['2001:db8::1', '2001:DB8:0::1']", 'tls.acme.domains', /2001:db8::1 is listed twice/],
    ["domains: ['1::2::3']", 'tls.acme.domains', /1::2::3 is neither/],
    ['domains: ["*.a.test"]', 'tls.acme.challenge', /expected dns-01/],
    ['domains: [a.test], challenge: dns-01', 'tls.acme.dns_hook', /expected a program/],
    ['domains: [a.test], dns_hook: x', 'tls.acme.dns_hook', /unless challenge is dns-01/],
    ['domains: [a.test], directory: "http://ca.test"', 'tls.acme.directory', /https URL/],
    ['domains: [a.test], directory: zerossl', 'tls.acme.directory', /letsencrypt-staging/],
    ['domains: [a.test], email: me', 'tls.acme.email', /email address/],
    ['domains: [a.test], key_type: dsa', 'tls.acme.key_type', /ecdsa or rsa/],
    ['domains: ["a b"]', 'tls.acme.domains.0', /host name/],
    ['domains: [{a: 7}]', 'tls.acme.domains.0', /list of domains/],
    ['domains: [a.test], eab: {key_id: x}', 'tls.acme.eab.hmac_key', /the key that the CA gave/],
    ['domains: [a.test], ca_file: here.pem', 'tls.acme.ca_file', /absolute path/],
  ]
  for (const [text, key, says] of wrong) {
    it(`rejects ${text}`, () => {
      const problem = refusedOnce(acme(text))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
    })
  }

  it('does not leave challenge requests to a route, except with DNS challenges', () => {
    const routes = `app: {command: x}
routes: [{path: /, app: app}, {path: /.well-known/acme-challenge/, response: {status: 404}}]
`
    const problem = refusedOnce(yaml(`${routes}tls: {acme: {domains: [a.test]}}`))
    assert.deepEqual(
      [problem.key, problem.problem],
      ['routes.1.path', 'is the path of ACME challenges, which tls.acme serves'],
    )
    accepted(yaml(`${routes}tls: {acme: {domains: [a.test], challenge: dns-01, dns_hook: x}}`))
    accepted(yaml(routes))
  })

  it('conflicts with https: off and with tls.required', () => {
    const off = refusedOnce({ ...acme('domains: [a.test]'), env: { MONOHULL_HTTPS: 'off' } })
    assert.equal(off.key, 'tls.acme')
    assert.equal(off.fix, 'remove tls.acme, or set https to redirect or on')
    const required = refusedOnce({ ...acme('domains: [a.test]'), env: { MONOHULL_TLS_REQUIRED: 'true' } })
    assert.equal(required.key, 'tls.required')
  })

  it('required conflicts with https: off', () => {
    const problem = refusedOnce(yaml('tls: {required: true}\nhttps: off'))
    assert.deepEqual([problem.key, problem.fix], ['tls.required', 'remove it, or set https to redirect or on'])
  })

  it('does not show the key of an account', () => {
    const problems = refused(acme('domains: [a.test], eab: {key_id: x, hmac_key: "not base64 url!"}'))
    assert.doesNotMatch(JSON.stringify(problems), /not base64/)
  })
})

describe('tls.client_certificates', () => {
  const ca = 'tls: {client_certificates: {ca: ca.pem}}'

  it('are required from every client unless a route sets another mode', () => {
    const { tls, routes } = accepted(
      yaml(`${ca}\nroutes: [{path: /, app: app}, {path: /a, app: app, client_certificate: optional}]\n`),
    )
    assert.deepEqual(tls.client_certificates, { ca: 'ca.pem', mode: 'required' })
    assert.deepEqual(
      routes.map(({ settings }) => settings.client_certificate),
      [undefined, 'optional'],
    )
  })

  it('can be switched off, for an environment without TLS', () => {
    const routes = 'routes: [{path: /, app: app, client_certificate: required}]'
    accepted(yaml(`https: off\ntls: {client_certificates: {mode: off}}\n${routes}\n`))
  })

  const wrong: [string, string, RegExp][] = [
    [`${ca}\nhttps: off`, 'tls.client_certificates', /never requested/],
    ['routes: [{path: /, app: app, client_certificate: required}]', 'routes.0.client_certificate', /no CA to check/],
    [
      `${ca}\nroutes: [{path: /, app: app, client_certificate: off}]`,
      'routes.0.client_certificate',
      /required or optional/,
    ],
    ['tls: {client_certificates: {mode: optional}}', 'tls.client_certificates.ca', /expected a file with the CAs/],
    ['tls: {client_certificates: {ca: a, mode: on}}', 'tls.client_certificates.mode', /required, optional or off/],
  ]
  for (const [text, key, says] of wrong) {
    it(`rejects ${text.replaceAll('\n', '; ')}`, () => {
      const problem = refusedOnce(yaml(`${text}\n`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
      assert.notEqual(problem.fix, '')
    })
  }
})
