import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { byNearness, nearest } from '../../../supervisor/base/nearest.ts'

describe('base/nearest', () => {
  const names = ['http_port', 'https_port', 'https', 'workers', 'keepalive']
  const guesses: [string, string | undefined][] = [
    ['worker', 'workers'],
    ['wrokers', 'workers'],
    ['htpp_port', 'http_port'],
    ['htps_port', 'https_port'],
    ['http', 'https'],
    ['keep_alive', 'keepalive'],
    ['keepalive', 'keepalive'],
    ['jobs', undefined],
    ['x', undefined],
    ['', undefined],
  ]
  for (const [word, guess] of guesses) {
    it(`guesses ${guess ?? 'nothing'} for ${word || 'nothing'}`, () => assert.equal(nearest(word, names), guess))
  }

  it('guesses nothing without candidates', () => assert.equal(nearest('workers', []), undefined))

  it('prefers the first of two equally close candidates', () => assert.equal(nearest('abcd', ['abcx', 'abcy']), 'abcx'))

  it('orders candidates by their distance, and keeps their order where it is the same', () => {
    assert.deepEqual(byNearness('ap.2', ['web', 'api', 'api.1', 'api.2']), ['api.2', 'api', 'api.1', 'web'])
    assert.deepEqual(byNearness('zz', ['app', 'api']), ['app', 'api'])
  })

  it('allows a distance of a third of the length', () => {
    assert.equal(nearest('abcdef', ['abcdxy']), 'abcdxy')
    assert.equal(nearest('abcdef', ['abcxyz']), undefined)
  })
})
