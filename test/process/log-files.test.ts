import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
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
    const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777
    for (const name of ['monohull', 'access']) {
      assert.equal(modeOf(`${name}.log`), 0o640)
      renameSync(join(folder, `${name}.log`), join(folder, `${name}.moved`))
    }
    monohull.signal('SIGUSR1')
    await until('the new files', () => read('access.log') === '' && read('monohull.log').includes('reopened'))
    // its workers open it one after the other
    await until('a line in the new file', async () => {
      await monohull.request({ path: '/after' })
      return /"GET \/after HTTP/.test(read('access.log'))
    })
    assert.equal(modeOf('access.log'), 0o640)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0, monohull.output())
    assert.match(read('monohull.log'), /stopped code=0\n$/)
  })

  it('are not written where another user could lead them to any file', {
    skip: process.getuid?.() !== 0 && !process.env.CI,
  }, async t => {
    const folder = temporaryFolder(t)
    const precious = join(folder, 'precious')
    const directory = join(folder, 'logs')
    writeFileSync(precious, 'kept', { mode: 0o600 })
    mkdirSync(directory)
    for (const name of ['monohull', 'access']) symlinkSync(precious, join(directory, `${name}.log`))
    chownSync(directory, 31_001, 31_001)
    const files = { 'monohull.yaml': `https: off\nlogs: { files: { directory: ${directory} } }\n` }
    for (const command of ['check', 'run']) {
      const monohull = startMonohull(t, { args: [command, 'node', fixture('hello.cjs')], files })
      assert.equal(await monohull.exited, 78, monohull.output())
      assert.match(monohull.output(), /cannot use logs\.files\.directory .*\/logs belongs to another user/)
    }
    assert.equal(readFileSync(precious, 'utf8'), 'kept')
    assert.deepEqual([statSync(precious).uid, statSync(precious).mode & 0o777], [0, 0o600])
  })

  it('belong to one instance, even one that is killed, and another one reports whose they are', async t => {
    const directory = join(temporaryFolder(t), 'a-directory-for-logs-'.repeat(8))
    const files = { 'monohull.yaml': `https: off\nlogs: { files: { directory: ${directory} } }\napp: { workers: 1 }\n` }
    const args = ['run', 'node', fixture('hello.cjs')]
    const first = startMonohull(t, { args, files })
    await first.serving()
    for (const command of ['check', 'run']) {
      const second = startMonohull(t, { args: [command, 'node', fixture('hello.cjs')], files })
      assert.equal(await second.exited, 78, second.output())
      const owner = `the instance in run_dir ${first.folder}/run \\(pid ${first.process.pid} on ${hostname()}\\)`
      assert.match(second.output(), new RegExp(`cannot write log files to ${directory}: ${owner} writes to it`))
    }
    const checked = startMonohull(t, { args: ['check', 'node', fixture('hello.cjs')], folder: first.folder })
    assert.equal(await checked.exited, 0, checked.output())
    first.signal('SIGKILL')
    await first.exited
    const next = startMonohull(t, { args, folder: first.folder })
    await next.serving()
    next.signal('SIGTERM')
    assert.equal(await next.exited, 0, next.output())
    assert.deepEqual(readdirSync(directory).sort(), ['access.log', 'monohull.log'])
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
