import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findRunDir } from '../../../supervisor/cli/load.ts'

describe('the run directory that a command finds', () => {
  for (const [what, text] of Object.entries({
    'is valid': 'run_dir: /run/b\n',
    'has an unknown key': 'bogus: 1\nrun_dir: /run/b\n',
    'is not YAML': 'app: [\nrun_dir: /run/b # ours\n',
    'names it twice': 'run_dir: /run/b\r\nrun_dir: /run/b\r\n',
    'has quotes': 'http_port: 999999\nrun_dir: "/run/b"\n',
  }))
    it(`is that of a file that ${what}`, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'monohull-run-dir-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const configFile = join(folder, 'monohull.yaml')
      writeFileSync(configFile, text)
      const world = { env: {}, home: '/', umask: 0o022 }
      assert.equal(await findRunDir({ flags: {}, command: [], configFile }, world), '/run/b')
    })
})
