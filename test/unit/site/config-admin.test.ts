import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { acceptedApps, refusedOnce, yaml } from './load-config.ts'

const token = 'token: 0123456789abcdef'
const adminOf = (text: string) => acceptedApps(yaml(text)).admin

describe('config: admin', () => {
  it('opens no port by default, and one on loopback without a token', () => {
    assert.deepEqual(adminOf(''), { bind: '127.0.0.1', actions: false })
    assert.deepEqual(adminOf('admin: {port: 9114}'), { port: 9114, bind: '127.0.0.1', actions: false })
    assert.equal(adminOf('admin: {port: 9114, bind: "::1"}').bind, '::1')
    assert.equal(adminOf(`admin: {port: 9114, bind: 0.0.0.0, ${token}, actions: true}`).actions, true)
  })

  for (const [keys, key, problem] of [
    ['port: 9114, bind: 0.0.0.0', 'admin.token', /^is required, because others can reach admin\.bind 0\.0\.0\.0$/],
    ['port: 9114, bind: "::"', 'admin.token', /^is required/],
    ['port: 9114, actions: true', 'admin.token', /^is required for admin\.actions$/],
    ['actions: true', 'admin.token', /^is required for admin\.actions$/],
    ['port: 9114, token: short', 'admin.token', /^expected at least 16 ASCII characters/],
    ['port: 9114, token: "with a space in it"', 'admin.token', /^expected at least 16 ASCII characters/],
    ['port: 80', 'admin.port', /^expected a port other than http_port$/],
    ['port: 443', 'admin.port', /^expected a port other than https_port$/],
    ['port: 70000', 'admin.port', /^expected a port from 0 to 65535$/],
    ['port: 9114, bind: localhost', 'admin.bind', /^expected an IP address/],
  ] as const)
    it(`rejects {${keys}}`, () => {
      const found = refusedOnce(yaml(`admin: {${keys}}`))
      assert.equal(found.key, key)
      assert.match(found.problem, problem)
      if (/required/.test(found.problem)) assert.equal(found.value, undefined, 'it is not set')
      assert.ok(found.value === undefined || !String(found.value).includes('short'), 'a secret is masked')
    })

  it('accepts the port of another address, and any free one twice', () => {
    const other = 'bind_addresses: [10.0.0.1]\nmetrics: {port: 80}\n'
    assert.equal(adminOf(`${other}admin: {port: 80, bind: "::1"}`).port, 80)
    assert.equal(adminOf('http_port: 0\nhttps_port: 0\nadmin: {port: 0}').port, 0)
  })

  it('accepts the port of HTTPS where that is off', () => {
    assert.equal(adminOf('https: off\nadmin: {port: 443}').port, 443)
  })
})
