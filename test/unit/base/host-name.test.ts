import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isHostName, isNumeric } from '../../../supervisor/base/host-name.ts'

describe('base/host-name', () => {
  const label = 'a'.repeat(63)
  const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`

  for (const name of [
    'localhost',
    'WWW.Example.com',
    '*.example.com',
    'a_b.test',
    '_dmarc.x-1.test',
    'xn--bcher-kva.de',
  ])
    it(`accepts ${name}`, () => assert.ok(isHostName(name)))

  for (const name of [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a.test',
    'a-.test',
    'a b',
    'ä.test',
    '*',
    'a.*.b',
    '*a.test',
    '::1',
  ])
    it(`rejects ${JSON.stringify(name)}`, () => assert.ok(!isHostName(name)))

  it('accepts labels and names up to the length limits of DNS', () => {
    assert.deepEqual([longest.length, isHostName(longest), isHostName(`a${longest}`)], [253, true, false])
    assert.deepEqual([isHostName(`${label}.test`), isHostName(`${label}a.test`)], [true, false])
  })

  it('recognizes four numbers, which cannot be looked up', () => {
    for (const host of ['127.0.0.1', '999.1.1.1']) assert.ok(isNumeric(host) && isHostName(host))
    for (const host of ['1.2.3', '1.2.3.4.5', '1.2.3.4x', '::1']) assert.ok(!isNumeric(host))
  })
})
