import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fixture, type Monohull, startMonohull, temporaryFolder } from './monohull.ts'

const config = `https: off
app: { command: [node, ${fixture('hello.cjs')}], workers: 1, min_uptime: 0s }
deny: [127.0.0.1]
`
const files = { 'monohull.yaml': config }
const env = { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: undefined }

/** `monohull reload` with these options. */
async function reload(t: TestContext, monohull: Monohull, ...options: string[]) {
  const told = startMonohull(t, {
    folder: temporaryFolder(t),
    args: ['reload', ...options],
    env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') },
  })
  return { code: await told.exited, output: told.output() }
}

describe('a reload that has lost a source of the configuration', () => {
  it('is abandoned, unless --allow-missing is given', async t => {
    const monohull = startMonohull(t, { files, env })
    await monohull.serving()
    const path = join(monohull.folder, 'monohull.yaml')
    const status = async () => (await monohull.request()).status
    assert.equal(await status(), 403)
    for (const [lose, reason] of [
      [() => rmSync(path), /monohull\.yaml.*is gone/],
      [() => writeFileSync(path, ''), /contains no keys any more/],
      [() => writeFileSync(path, '# https: off\n'), /contains no keys any more/],
      [() => writeFileSync(path, config.slice(0, config.indexOf('deny'))), /ends after line 2/],
    ] as const) {
      lose()
      const { code, output } = await reload(t, monohull)
      assert.equal(code, 1)
      assert.match(output, /reload abandoned, nothing has changed/)
      assert.match(output, reason)
      assert.match(output, /monohull reload --allow-missing/)
      assert.equal(await status(), 403)
    }
    const from = monohull.output().length
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned/, from)
    assert.equal(await status(), 403)

    assert.deepEqual(await reload(t, monohull, '--allow-missing'), { code: 0, output: 'monohull: reload finished\n' })
    assert.equal(await status(), 200)
    // what is in use now is the measure of the next reload
    assert.equal((await reload(t, monohull)).code, 0)
    writeFileSync(path, config)
    assert.equal((await reload(t, monohull)).code, 0)
    assert.equal(await status(), 403)
  })
})
