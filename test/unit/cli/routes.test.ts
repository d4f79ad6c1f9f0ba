import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { routes } from '../../../supervisor/cli/routes.ts'

describe('cli/routes', () => {
  it('says which file cannot be imported, and what to name instead', async () => {
    const world = { env: { MONOHULL_RUN_DIR: '/nowhere' }, home: '/nowhere', umask: 0o022 }
    const given = { action: 'import', words: ['/nonexistent'], isJson: false, match: undefined, options: {} }
    await assert.rejects(routes({ configFile: undefined, flags: {}, command: [] }, world, given), {
      message: /^cannot read \/nonexistent: ENOENT/,
      fix: 'name a readable file, or - for standard input',
      code: 1,
    })
  })
})
