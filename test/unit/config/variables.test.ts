import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { misspeltVariables, readableEnv } from '../../../supervisor/config/variables.ts'

describe('config/variables', () => {
  it('treats an empty variable of monohull as not set', () => {
    const env = readableEnv({ MONOHULL_KEEPALIVE: '', MONOHULL_HTTPS: "''", EMPTY: '' })
    assert.deepEqual(env, { MONOHULL_KEEPALIVE: undefined, MONOHULL_HTTPS: undefined, EMPTY: '' })
  })

  it('removes the quotes that docker --env-file passes on', () => {
    const env = readableEnv({ MONOHULL_WORKERS: '"4"', MONOHULL_COMMAND: `'node "a b.js"'`, OTHER: '"4"' })
    assert.deepEqual(env, { MONOHULL_WORKERS: '4', MONOHULL_COMMAND: 'node "a b.js"', OTHER: '"4"' })
    const words = `"a b" "c"`
    assert.equal(readableEnv({ MONOHULL_COMMAND: words }).MONOHULL_COMMAND, words)
  })

  it('leaves out what identifies the worker or hook that the command runs in', () => {
    const worker = { MONOHULL_SLOT: '1', MONOHULL_APP: 'app', MONOHULL_WORKERS: '2', MONOHULL_RUN_DIR: '/run/x' }
    assert.deepEqual(readableEnv(worker), { MONOHULL_RUN_DIR: '/run/x' })
    const hook = { MONOHULL_EVENT: 'worker_exit', MONOHULL_WORKER: 'app.1', MONOHULL_PID: '7', MONOHULL_EXIT: '1' }
    assert.deepEqual(readableEnv(hook), { MONOHULL_EVENT: 'worker_exit' })
    assert.deepEqual(readableEnv({ MONOHULL_WORKERS: '2' }), { MONOHULL_WORKERS: '2' })
  })

  it('finds misspelt variables', () => {
    const others = { MONOHULL_WORKERS: '', MONOLITH_X: '', NODE_ENV: '', MONO: '', MONGO_URL: '', PATH: '' }
    const wrong = ['MONHULL_WORKERS', 'MONOHUL_HTTPS', 'MONOHULLL_X', 'monohull_workers', 'Monohull_Workers']
    const env = { ...others, ...Object.fromEntries(wrong.map(name => [name, ''])) }
    assert.deepEqual(misspeltVariables(env), wrong)
  })
})
