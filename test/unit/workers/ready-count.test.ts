import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countReady, describeUnready, sumWorkers } from '../../../supervisor/workers/ready-count.ts'

type State = Parameters<typeof countReady>[1][number]['state']
const app = (name: string, ...states: State[]) =>
  countReady(
    name,
    states.map(state => ({ state })),
  )

describe('workers/ready-count', () => {
  it('counts an app that sleeps or wakes as asleep, which is ready for requests', () => {
    assert.deepEqual(app('api', 'asleep'), { name: 'api', ready: 0, total: 1, asleep: 1 })
    assert.deepEqual(app('api', 'waking'), { name: 'api', ready: 0, total: 1, asleep: 1 })
    assert.equal(describeUnready([app('api', 'asleep'), app('web', 'serving')]), undefined)
    assert.deepEqual(sumWorkers([app('api', 'asleep'), app('web', 'serving', 'booting')]), {
      ready: 1,
      total: 3,
      asleep: 1,
    })
  })

  it('says nothing about sleep where nothing sleeps', () => {
    assert.deepEqual(sumWorkers([app('web', 'serving')]), { ready: 1, total: 1 })
  })

  it('names the apps that neither serve nor sleep', () => {
    assert.equal(describeUnready([app('web', 'waiting')]), 'no worker is ready')
    assert.equal(describeUnready([app('api', 'asleep'), app('web', 'booting')]), 'no worker of web is ready')
  })
})
