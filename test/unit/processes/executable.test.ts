import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { describeExecutableProblem, describeScriptProblem } from '../../../supervisor/processes/adapters/executable.ts'

const directory = mkdtempSync(join(tmpdir(), 'monohull-executable-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const context = { directory, path: '/usr/bin:/bin' }

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(directory, name), content, { mode: 0o755 })
  return join(directory, name)
}

/** Header of an ELF file for x86-64 with one segment, which names its loader. */
function elf(machine: number, loader: string): Buffer {
  const bytes = Buffer.alloc(64 + 56 + loader.length + 1)
  bytes.write('\x7fELF\x02\x01\x01', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(1, 56)
  bytes.writeUInt32LE(3, 64)
  bytes.writeBigUInt64LE(120n, 64 + 8)
  bytes.writeBigUInt64LE(BigInt(loader.length + 1), 64 + 32)
  bytes.write(loader, 120, 'latin1')
  return bytes
}
const [ownMachine, otherMachine] = process.arch === 'arm64' ? [183, 62] : [62, 183]

describe('processes/adapters/executable', () => {
  const problems: [string, string | Buffer, RegExp][] = [
    ['a script with Windows line endings', '#!/bin/sh\r\necho hello\r\n', /^has Windows line endings/],
    ['one for env with Windows line endings', '#!/usr/bin/env node\r\n', /^has Windows line endings/],
    [
      'a script for a missing interpreter',
      '#!/opt/none/python3\n',
      /^is a script for \/opt\/none\/python3, which was not/,
    ],
    ['one that env does not find', '#!/usr/bin/env nodee\n', /^is a script for nodee, which was not found/],
    ['one that env -S does not find', '#!/usr/bin/env -S nodee --flag\n', /^is a script for nodee, which/],
    ['a script after a byte order mark', '\ufeff#!/bin/sh\necho\n', /^begins with a byte order mark/],
    ['a program for another CPU', elf(otherMachine, '/lib/ld.so'), /^is a program for another CPU/],
    ['a program for a missing loader', elf(ownMachine, '/lib/ld-none.so.1'), /^needs \/lib\/ld-none\.so\.1, which/],
  ]
  for (const [what, content, problem] of problems)
    it(`reports ${what}`, () => {
      assert.match(describeExecutableProblem(file('program', content), context)?.problem ?? 'none', problem)
    })

  const fine: [string, string | Buffer][] = [
    ['a script', '#!/bin/sh\necho hello\r\n'],
    ['a script with a space before its interpreter', '#! /bin/sh -e\n'],
    ['a script for env with a variable', '#!/usr/bin/env -S A=1 sh\n'],
    ['an empty file', ''],
    ['a script without a first line', 'echo hello\n'],
  ]
  for (const [what, content] of fine)
    it(`accepts ${what}`, () => assert.equal(describeExecutableProblem(file('program', content), context), undefined))

  it('accepts the programs of this machine', () => {
    for (const program of [process.execPath, '/bin/sh'])
      assert.equal(describeExecutableProblem(program, context), undefined, program)
  })

  it('reports a script with Windows line endings that a shell is to read', () => {
    file('run.sh', 'set -e\r\nexec node server.js\r\n')
    for (const argv of [
      ['sh', 'run.sh'],
      ['/bin/bash', './run.sh'],
      ['sh', join(directory, 'run.sh')],
    ])
      assert.match(describeScriptProblem(argv, context)?.problem ?? 'none', /Windows line endings/)
    file('fine.sh', 'set -e\n')
    for (const argv of [['sh', 'fine.sh'], ['sh', '-c', 'run.sh'], ['node', 'run.sh'], ['sh', 'none.sh'], ['sh']])
      assert.equal(describeScriptProblem(argv, context), undefined)
  })
})
