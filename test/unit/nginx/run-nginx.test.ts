import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OperatorError } from '../../../supervisor/base/errors.ts'
import { runNginx } from '../../../supervisor/nginx/adapters/run-nginx.ts'
import { withoutDescriptors } from '../without-descriptors.ts'

describe('a run of nginx that cannot be started', () => {
  it('is no answer of nginx: it rejects with the errno and what to do', async () => {
    await assert.rejects(
      withoutDescriptors(() => runNginx(['-V'])),
      (error: OperatorError) => {
        assert.match(error.message, /EMFILE/)
        assert.match(error.fix, /open files/)
        return true
      },
    )
  })
})
