import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import { addCompletion } from '../../../supervisor/cli/completion.ts'

describe('cli/completion', () => {
  it('offers the shells that it has scripts for', async () => {
    const program = new Command('monohull').exitOverride().configureOutput({ writeErr: () => {} })
    await addCompletion(program, ['completion'], { env: {}, home: '/nowhere', umask: 0o022 })
    await assert.rejects(program.parseAsync(['completion', 'powershell'], { from: 'user' }), {
      message: /Allowed choices are bash, zsh, fish\.$/,
    })
  })
})
