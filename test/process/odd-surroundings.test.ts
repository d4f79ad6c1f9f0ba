import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'

const hello = fixture('hello.cjs')

describe('a machine that is not as usual', { concurrency: 3 }, () => {
  it('nginx is not in PATH, as for users of Debian: it is found all the same', async t => {
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
    const monohull = startMonohull(t, { args: ['run', 'node', hello], env: { PATH } })
    await monohull.serving()
    assert.equal((await monohull.request()).status, 200)
  })
})
