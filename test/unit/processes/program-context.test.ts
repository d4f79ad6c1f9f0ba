import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { revealed } from '../../../supervisor/base/secret.ts'
import { collectProblems, formatProblems } from '../../../supervisor/config/report.ts'
import { checkPort, checkProgram, findProgramContext } from '../../../supervisor/processes/adapters/program-context.ts'
import { createSpawn } from '../../../supervisor/processes/adapters/spawn.ts'

const directory = mkdtempSync(join(tmpdir(), 'monohull-context-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const world = { env: { PATH: '/usr/bin:/bin', HOST: 'box' }, home: '/', umask: 0o022 }

function contextOf(env: Record<string, string | { file: string }>) {
  const { problems, complain } = collectProblems()
  const context = findProgramContext('app', { directory, env }, world, complain)
  return { context, text: problems.length > 0 ? formatProblems(problems) : '' }
}

describe('processes/adapters/program-context: env', () => {
  it('reads secrets from files, and prints them nowhere', () => {
    writeFileSync(join(directory, 'secret'), '\ufeffhunter2\r\n')
    const { context, text } = contextOf({ PASSWORD: { file: 'secret' } })
    assert.equal(text, '')
    const secret = context?.env.PASSWORD ?? assert.fail()
    assert.equal(revealed(secret), 'hunter2')
    const printed = [JSON.stringify(context), inspect(context, { depth: 9 }), `${secret}`, String(secret)].join('\n')
    assert.doesNotMatch(printed, /hunter2/)
  })

  const unusable: [string, Buffer, RegExp][] = [
    ['a NUL character', Buffer.from('hunter2\0x\n'), /app\.env\.PASSWORD: contains a NUL character/],
    ['bytes that are not UTF-8', Buffer.from('hunter2\xff', 'latin1'), /app\.env\.PASSWORD: .* is not UTF-8 text/],
  ]
  for (const [what, content, message] of unusable)
    it(`rejects a secret with ${what}`, () => {
      writeFileSync(join(directory, 'odd'), content)
      const { text } = contextOf({ PASSWORD: { file: 'odd' } })
      assert.match(text, message)
      assert.doesNotMatch(text, /hunter2/)
    })

  it('expands variables of the container, and reports one that is not set', () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
    const { context, text } = contextOf({ URL: 'http://${HOST}/', LATER: '$HOST $${HOST}' })
    assert.equal(text, '')
    assert.deepEqual({ ...context?.env }, { URL: 'http://box/', LATER: '$HOST ${HOST}' })
    assert.match(
      contextOf({ URL: 'http://${NOT_SET}/' }).text,
      /app\.env\.URL: contains \$\{NOT_SET\}, which is not set/,
    )
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
  })
})

describe('processes/adapters/spawn', () => {
  it('does not print what the system cannot be given', () => {
    const output = { write() {}, end: async () => {} } as never
    const deps = { stdout: output, stderr: output, format: 'text', now: () => 0, umask: process.umask() } as const
    const spawn = createSpawn({ ...deps, onChange() {} })
    const spec = { name: 'app.1', argv: ['true'], directory, uid: undefined, gid: undefined, inherit: [] }
    const env = { PASSWORD: 'hunter2\0x' }
    assert.throws(
      () => spawn({ ...spec, env, output: 'relay', notify: false }),
      (error: Error) => {
        assert.match(error.message, /^cannot start app\.1: .*NUL character$/)
        return !error.message.includes('hunter2')
      },
    )
  })
})

describe('processes/adapters/program-context: commands', () => {
  function problemsOf(argv: string[], env: Record<string, string> = {}): string {
    const { problems, complain } = collectProblems()
    checkProgram('app.command', argv, { context: { directory, path: '/usr/bin:/bin' }, complain })
    checkPort('app.command', argv, { env, fix: 'set listen: port', complain })
    return problems.map(({ problem, fix }) => `${problem}; ${fix}`).join('\n')
  }

  it('reports a script that the system cannot execute', () => {
    writeFileSync(join(directory, 'run.sh'), '#!/bin/bash\r\n', { mode: 0o755 })
    assert.match(problemsOf(['./run.sh']), /^has Windows line endings/)
    writeFileSync(join(directory, 'run.sh'), '#!/usr/bin/env nodee\n', { mode: 0o755 })
    assert.match(problemsOf(['./run.sh']), /^is a script for nodee, which was not found/)
  })

  it('reports a command of the shell', () => {
    assert.match(problemsOf(['cd', 'app']), /^was not found; it is part of a shell: write \[sh, -c/)
  })

  it('reports $PORT where nothing replaces it', () => {
    assert.match(
      problemsOf(['true', '--port', '$PORT']),
      /^contains \$PORT, which has no value here; set listen: port$/,
    )
    assert.match(problemsOf(['sh', '-c', 'exec true $PORT']), /^contains \$PORT/)
    assert.equal(problemsOf(['sh', '-c', 'exec true $PORT'], { PORT: '3000' }), '')
    assert.equal(problemsOf(['sh', '-c', 'exec true $PORTS']), '')
  })
})
