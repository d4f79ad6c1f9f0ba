import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { differsInAccess } from '../../../supervisor/front/ambiguous-paths.ts'
import type { ForwardAuth } from '../../../supervisor/front/forward-auth.ts'
import { isCopyable } from '../../../supervisor/front/forward-auth-keys.ts'
import { presets } from '../../../supervisor/front/forward-auth-presets.ts'
import { routeTo, toApp } from '../../routes.ts'

const proxyConf = readFileSync(join(import.meta.dirname, '../../../nginx/snippets/proxy.conf'), 'utf8')

describe('front/forward-auth-keys', () => {
  it('accepts no header that monohull sets for the app, which would get it twice', () => {
    const names = [...proxyConf.matchAll(/^proxy_set_header (\S+)/gm)].map(([, name = '']) => name)
    assert.ok(names.length > 20)
    assert.deepEqual(names.filter(isCopyable), [])
  })

  it('accepts those of the presets', () => {
    const names = Object.values(presets).flatMap(({ copiedHeaders }) => copiedHeaders)
    assert.deepEqual(
      names.filter(name => !isCopyable(name)),
      [],
    )
  })
})

describe('front/ambiguous-paths', () => {
  const forwardAuth: ForwardAuth = { upstream: 'auth', path: '/', copiedHeaders: [], signIn: undefined }
  const open = routeTo(toApp('app'))
  const routeWith = (rules: object) => routeTo(toApp('app'), { path: '/admin', rules })

  it('is about routes of which some have forward auth, or another server for it, or accept any of several checks', () => {
    assert.equal(differsInAccess([open, routeWith({})]), false)
    assert.equal(differsInAccess([open, routeWith({ forwardAuth })]), true)
    assert.equal(
      differsInAccess([routeTo(toApp('app'), { rules: { forwardAuth } }), routeWith({ forwardAuth })]),
      false,
    )
    assert.equal(
      differsInAccess([routeWith({ forwardAuth }), routeWith({ forwardAuth: { ...forwardAuth, path: '/x' } })]),
      true,
    )
    assert.equal(differsInAccess([routeWith({ satisfiesAny: true }), routeWith({ satisfiesAny: false })]), true)
  })
})
