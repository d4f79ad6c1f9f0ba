import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { endReason } from '../../../supervisor/processes/process-state.ts'
import { hookEnv } from '../../../supervisor/programs/hook.ts'

describe('programs/hook', () => {
  it('sets variables for known facts only', () => {
    assert.deepEqual(hookEnv('before_start', {}), { MONOHULL_EVENT: 'before_start' })
    assert.deepEqual(hookEnv('worker_exit', { worker: 'app.1', pid: 7, exitCode: 0, reason: 'died' }), {
      MONOHULL_EVENT: 'worker_exit',
      MONOHULL_WORKER: 'app.1',
      MONOHULL_PID: '7',
      MONOHULL_EXIT: '0',
      MONOHULL_REASON: 'died',
    })
  })

  it('gives the reason for the end of a worker', () => {
    const killed = { kind: 'signal', signal: 'SIGKILL', number: 9 } as const
    assert.equal(endReason(undefined, killed), 'died')
    assert.equal(endReason(undefined, { ...killed, isOutOfMemory: true }), 'out of memory')
    assert.equal(endReason('boot timeout', killed), 'boot timeout')
    assert.equal(endReason('requested', { kind: 'code', code: 0 }), 'requested')
  })
})
