import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findMissingScript } from '../../../supervisor/processes/adapters/missing-script.ts'

const directory = mkdtempSync(join(tmpdir(), 'monohull-script-'))
after(() => rmSync(directory, { recursive: true, force: true }))
for (const name of ['server.js', 'typed.ts', 'app.py', 'start.sh']) writeFileSync(join(directory, name), '')
mkdirSync(join(directory, 'package'))

describe('processes/adapters/missing-script', () => {
  for (const [command, script] of [
    ['node missing.js', 'missing.js'],
    ['/usr/bin/node src/missing.js --port 1', 'src/missing.js'],
    ['node --import tsx --inspect=0 --enable-source-maps missing.ts', 'missing.ts'],
    ['python3 missing.py', 'missing.py'],
    ['python3.11 /nowhere/missing.py', '/nowhere/missing.py'],
    ['sh missing.sh', 'missing.sh'],
  ] as const)
    it(`finds that of ${command}`, () => assert.equal(findMissingScript(command.split(' '), directory), script))

  for (const command of [
    ...['node server.js', 'node server', 'node ./server.js', 'node --import tsx typed', 'node package', 'node .'],
    ...[
      'node --unknown flag',
      'node -e 1+1',
      'node -',
      'node',
      'python3 app.py',
      'python3 -m http.server',
      'python3 -',
    ],
    ...['sh start.sh', 'sh -c missing', 'gunicorn missing:app', 'npm missing', 'ruby -run -e httpd'],
  ])
    it(`finds none of ${command}`, () => assert.equal(findMissingScript(command.split(' '), directory), undefined))
})
