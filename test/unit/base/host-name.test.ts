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
    it(`takes ${name}`, () => assert.ok(isHostName(name)))

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
    it(`refuses ${JSON.stringify(name)}`, () => assert.ok(!isHostName(name)))

  it('takes labels and names as long as DNS can hold them, and no longer', () => {
    assert.deepEqual([longest.length, isHostName(longest), isHostName(`a${longest}`)], [253, true, false])
    assert.deepEqual([isHostName(`${label}.test`), isHostName(`${label}a.test`)], [true, false])
  })

  it('knows four numbers, which are no name to look up', () => {
    for (const host of ['127.0.0.1', '999.1.1.1']) assert.ok(isNumeric(host) && isHostName(host))
    for (const host of ['1.2.3', '1.2.3.4.5', '1.2.3.4x', '::1']) assert.ok(!isNumeric(host))
  })
})
