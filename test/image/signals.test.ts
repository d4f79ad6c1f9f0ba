import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { docker, image, labelOfRun, startContainer, tryDocker, until } from './docker.ts'

const app = [
  'monohull',
  'run',
  '--workers',
  '1',
  'node',
  '-e',
  "require('http').createServer((q, s) => s.end()).listen(3000)",
]
const documented = { HUP: 'reload', USR1: 'reopenLogs', USR2: 'restart', TTIN: 'scaleBy', TTOU: 'scaleBy' }

describe('docker kill', { concurrency: 2 }, () => {
  it('passes every documented signal on', async t => {
    const container = await startContainer(t, { command: app })
    for (const [signal, command] of Object.entries(documented)) {
      await docker(['kill', '--signal', signal, container.id])
      const line = new RegExp(`command received command=${command}\\b.* from=SIG${signal}`)
      await until(`the command of ${signal}`, async () => line.test(await container.logs()))
    }
    await docker(['kill', '--signal', 'WINCH', container.id])
    await docker(['kill', '--signal', 'QUIT', container.id])
    assert.equal(await container.ended(), 0)
    assert.doesNotMatch(await container.logs(), /Debugger/)
  })

  for (const signal of ['TERM', 'INT'])
    it(`ends a container that serves with 0 by ${signal}`, async t => {
      const container = await startContainer(t, { command: app })
      await docker(['kill', '--signal', signal, container.id])
      assert.equal(await container.ended(), 0)
    })

  for (const signal of [...Object.keys(documented), 'WINCH'])
    it(`with ${signal} at the first moment does no harm`, async t => {
      const container = await startContainer(t, { command: app, waits: false })
      for (let times = 0; times < 3; times++) await docker(['kill', '--signal', signal, container.id])
      await container.waitUntilReady()
      assert.doesNotMatch(await container.logs(), /Debugger/)
    })

  for (const command of [app, ['sh', '-c', 'monohull run']])
    it(`with TERM at the first moment ends ${command[0]} at once`, async t => {
      const container = await startContainer(t, { command, waits: false })
      await docker(['kill', '--signal', 'TERM', container.id])
      // a shell that has not reached monohull yet ends as any other command
      const codes = command[0] === 'sh' ? [0, 143] : [0]
      // without the signal it would never end
      assert.ok(codes.includes(await container.ended(15_000)))
    })

  it('reaches other commands, which it ends with 128 + its number, and their orphans are reaped', async t => {
    const script = 'for i in 1 2 3; do (sleep 0 &); done; exec sleep 600'
    const container = await startContainer(t, { command: ['sh', '-c', script], waits: false })
    const states = async () => (await container.exec('sh', '-c', 'cat /proc/[0-9]*/stat')).stdout
    await until('only the command', async () => {
      const found = await states()
      return /\(sleep\)/.test(found) && !/\) Z /.test(found)
    })
    await docker(['kill', '--signal', 'TERM', container.id])
    assert.equal(await container.ended(), 143)
  })
})

describe('Ctrl-Z in docker run -it', () => {
  it('does not freeze the supervisor, and Ctrl-C ends it', async t => {
    const name = `monohull-terminal-${process.pid}`
    const words = `docker run --rm -it --name ${name} --label ${labelOfRun} ${image} monohull run --workers 1`
    const terminal = spawn('script', ['-qec', words, '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise<number | null>(resolve => terminal.once('exit', resolve))
    t.after(async () => {
      await tryDocker(['rm', '--force', name])
      await ended
    })
    const serving = async () => / ready, pid /.test((await tryDocker(['exec', name, 'monohull', 'status'])).stdout)
    await until('it to serve', serving)
    terminal.stdin.write('\x1a')
    const states = () => tryDocker(['exec', name, 'sh', '-c', 'cat /proc/[0-9]*/stat'])
    // the terminal has passed it on when it echoes a line that was written later
    await until('it to serve still', serving)
    assert.doesNotMatch((await states()).stdout, /\) T /)
    terminal.stdin.write('\x03')
    assert.equal(await ended, 0)
  })
})
