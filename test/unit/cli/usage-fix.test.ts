import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unknownCommandFix, usageFix } from '../../../supervisor/cli/usage-fix.ts'

const names = ['run', 'dev', 'check', 'render', 'status', 'reload', 'restart', 'scale', 'stop', 'cert', 'help']
const flags = ['--http-port', '--workers', '--config', '--log-level']

describe('cli/usage-fix', () => {
  const commands: [string, RegExp][] = [
    ['start', /^did you mean monohull run\?$/],
    ['log', /^did you mean monohull logs\?$/],
    ['configtest', /^did you mean monohull check\?$/],
    ['rn', /^did you mean monohull run\?$/],
    ['statsu --json', /^did you mean monohull status --json\?$/],
    ['node server.js', /monohull run node server\.js/],
    ['npm start', /monohull run npm start/],
    ['./server.py', /monohull run \.\/server\.py/],
  ]
  for (const [line, fix] of commands)
    it(`corrects monohull ${line}`, () => assert.match(unknownCommandFix(line.split(' '), names), fix))

  const options: [string, RegExp][] = [
    ['--port', /^did you mean --http-port/],
    ['--port=3000', /^did you mean --http-port/],
    ['--wrokers', /^did you mean --workers\?$/],
    ['-w', /^did you mean --workers\?$/],
    ['--inspect', /^flags of the app go after its command/],
  ]
  for (const [option, fix] of options)
    it(`corrects ${option}`, () => assert.match(usageFix(`error: unknown option '${option}'`, 'run', flags) ?? '', fix))

  it('corrects arguments of commands that have none', () => {
    const message = (command: string) => `error: too many arguments for '${command}'. Expected 0 arguments but got 1.`
    assert.match(usageFix(message('stop'), 'stop', flags) ?? '', /monohull restart NAME/)
    assert.match(usageFix(message('reload'), 'reload', flags) ?? '', /monohull help reload/)
    assert.equal(usageFix("error: missing required argument 'workers'", 'scale', flags), undefined)
  })
})
