// needs: lua5.1
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeRoute } from '../../../supervisor/dynamic-routes/encoding.ts'
import { type DynamicRoute, readRoute } from '../../../supervisor/dynamic-routes/route.ts'
import { formatTarget } from '../../../supervisor/dynamic-routes/target.ts'
import { context } from './route-context.ts'

const lua = join(import.meta.dirname, '../nginx/lua/print_routes.lua')
const modules = join(import.meta.dirname, '../../../nginx/lua')

/** How nginx reads texts. */
function readInNginx(texts: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync('lua5.1', [lua, modules], { input: `${texts.join('\n')}\n`, encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout.split('\n').slice(0, -1)
}

const address = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 70_000 })).map(([ip, port]) => `${ip}:${port}`),
  fc.tuple(fc.ipV6(), fc.nat(65_535)).map(([ip, port]) => `[${ip}]:${port}`),
)
const word = fc.oneof(address, fc.constantFrom('web', 'legacy', 'gone', 'weight=2', 'weight=999', 'unix:/x', 'a;b*c'))
const targets = fc.array(word, { minLength: 1, maxLength: 5 }).map(words => words.join(' '))
const settings = {
  targets,
  sticky: fc.boolean(),
  max_body_size: fc.constantFrom('off', '1k', '3.5m', '100g'),
  read_timeout: fc.constantFrom('1ms', '90s', '1d'),
  basic_auth: fc.array(fc.constantFrom('a:$1$x', 'ü b:$2y$;*,', 'c:{SSHA}=='), { minLength: 1, maxLength: 3 }),
}
const value = fc.oneof(targets, fc.record(settings, { requiredKeys: ['targets'] }))

/** What nginx should read. */
function expected(route: DynamicRoute): string {
  const { isSticky, maxBodyBytes, readTimeoutMs, users } = route
  const working = route.targets.filter(({ target }) => target.kind === 'address' || target.name !== 'gone')
  if (working.length === 0) return 'nothing'
  const names = working.map(({ target, weight }) => {
    const name = formatTarget(target)
    if (target.kind === 'address') return `${name}*${weight}`
    return `${name === 'web' ? 'app' : 'upstream'}:${name}*${weight}`
  })
  return [
    ...names,
    ...(isSticky ? ['is_sticky=true'] : []),
    ...(maxBodyBytes === undefined ? [] : [`body=${maxBodyBytes}`]),
    ...(readTimeoutMs === undefined ? [] : [`read=${readTimeoutMs}`]),
    ...(users.length > 0 ? [`users=${Buffer.from(users.join('\n')).toString('base64')}`] : []),
  ].join(' ')
}

describe('a route in nginx', () => {
  it('is that of the store, whatever its value', () => {
    const routes = fc.sample(value, 5000).flatMap(each => {
      const reading = readRoute(each)
      return reading.ok ? [reading.value] : []
    })
    assert.ok(routes.length > 500, `${routes.length} values are valid`)
    assert.deepEqual(readInNginx(routes.map(route => encodeRoute(route, context))), routes.map(expected))
  })

  it('leads to numeric addresses and names alone, whatever nginx is sent', () => {
    const part = fc.constantFrom(
      'address:10.0.0.2:80',
      'app:web',
      'upstream:legacy',
      'address:',
      'app:',
      '10.0.0.2',
      ':80',
      '[::1]',
      'web',
      '*2',
      ',',
      ';',
      'sticky',
      'unix:',
      '/',
    )
    const texts = fc.sample(
      fc.oneof(
        fc.string(),
        fc.array(part, { maxLength: 8 }).map(parts => parts.join('')),
      ),
      5000,
    )
    const target = /^([\d.]+:\d+|\[[\da-f:]+\]:\d+|(app|upstream):[^\s,;*:]+)\*\d{1,3}$/i
    const found = readInNginx(texts).filter(line => line !== 'nothing')
    assert.ok(found.length > 20, `${found.length} texts are valid`)
    for (const line of found)
      for (const each of line.split(' ').filter(text => !/^(is_sticky|body|read|users)=/.test(text)))
        assert.match(each, target)
  })
})
