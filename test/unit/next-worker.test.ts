import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startedAfter } from '../process/next-worker.ts'

const worker = (pid: number, name = 'app.1') => ({ name, pid, startTime: pid })

describe('the next worker of a slot', () => {
  it('is not an older one that still drains when the one before it has died', () => {
    const [old, before, next] = [worker(10), worker(20), worker(30)]
    const seen = [old, worker(11, 'nginx'), before]
    assert.equal(startedAfter({ seen, last: [old, before] }, 'app.1', 20), undefined)
    assert.equal(startedAfter({ seen, last: [old] }, 'app.1', 20), undefined)
    assert.equal(startedAfter({ seen: [...seen, old, next], last: [old, next] }, 'app.1', 20), 30)
  })

  it('is the last of several, of that slot, even if no record has named the one before', () => {
    const last = [worker(20), worker(30), worker(40, 'app.2')]
    assert.equal(startedAfter({ seen: last, last }, 'app.1', 10), 30)
    assert.equal(startedAfter({ seen: last, last }, 'app.1', 30), undefined)
  })
})
