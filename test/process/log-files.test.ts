import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

describe('logs.files', () => {
  it('have every line beside stdout, and are opened again on USR1', async t => {
    const folder = temporaryFolder(t)
    const files = {
      'monohull.yaml': `https: off\nlogs: { files: { directory: ${folder} } }\napp: { workers: 1 }\n`,
    }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], files })
    const read = (name: string) => {
      try {
        return readFileSync(join(folder, name), 'utf8')
      } catch {
        return ''
      }
    }
    await monohull.serving()
    await monohull.request({ path: '/before' })
    const found = (name: string, pattern: RegExp) =>
      until(`${pattern} in ${name}`, () => pattern.test(read(name)), { details: () => read(name) })
    await found('access.log', /"GET \/before HTTP/)
    await found('monohull.log', /app\.1\[\d+\] stdout\| listening/)
    await monohull.seen(/"GET \/before HTTP/)
    for (const name of ['monohull', 'access']) renameSync(join(folder, `${name}.log`), join(folder, `${name}.moved`))
    monohull.signal('SIGUSR1')
    await until('the new files', () => read('access.log') === '' && read('monohull.log').includes('reopened'))
    // its workers open it one after the other
    await until('a line in the new file', async () => {
      await monohull.request({ path: '/after' })
      return /"GET \/after HTTP/.test(read('access.log'))
    })
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0, monohull.output())
    assert.match(read('monohull.log'), /stopped code=0\n$/)
  })

  it('on a full disk are given up until there is room, and nothing else', async t => {
    const folder = temporaryFolder(t)
    for (const name of ['monohull', 'access']) symlinkSync('/dev/full', join(folder, `${name}.log`))
    const files = { 'monohull.yaml': `https: off\nlogs: { files: { directory: ${folder} } }\n` }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], files })
    await monohull.serving()
    for (let count = 0; count < 3; count++) assert.equal((await monohull.request({ path: '/full' })).status, 200)
    await monohull.seen(/error cannot write a log file, .* file=\S+monohull\.log error="ENOSPC/)
    await monohull.seen(/"GET \/full HTTP/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0, monohull.output())
  })

  it('overflow: drop lets requests and programs go on while nobody reads', async t => {
    const files = {
      'monohull.yaml': 'https: off\nlogs: { overflow: drop }\napp: { workers: 1 }\nlog_level: warn\n',
      'print.cjs': `require('node:http').createServer((request, response) => {
  for (let count = 0; count < 200; count++) console.log('x'.repeat(10_000))
  response.end('done')
}).listen(3000)`,
    }
    const reader = spawn('/bin/sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] })
    defer(t, () => reader.kill('SIGKILL'))
    const input = reader.stdin as unknown as { _handle: { fd: number } }
    const monohull = startMonohull(t, { args: ['run', 'node', 'print.cjs'], files, descriptor: input._handle.fd })
    await until('monohull to serve', () => {
      try {
        return monohull.instance().isServing
      } catch {
        return false
      }
    })
    for (let count = 0; count < 20; count++) assert.equal((await monohull.request({ path: '/long' })).body, 'done')
  })
})
