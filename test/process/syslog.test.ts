// needs: rsyslog
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { freePorts } from './free-ports.ts'
import { defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

/** rsyslog, which writes what it has parsed: severity, program, pid and text. */
async function startRsyslog(t: TestContext) {
  const folder = temporaryFolder(t)
  const [port = 0] = await freePorts(1)
  const received = join(folder, 'received')
  const conf = join(folder, 'rsyslog.conf')
  writeFileSync(
    conf,
    `global(workDirectory="${folder}")
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp")
input(type="imuxsock" Socket="${folder}/log" CreatePath="on" UseSpecialParser="off" UseSysTimeStamp="off")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="parsed" type="string" string="%syslogseverity-text% %app-name% %procid%|%protocol-version%|%msg%\\n")
action(type="omfile" file="${received}" template="parsed")
`,
  )
  let daemon: ChildProcess | undefined
  const stop = async () => {
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const exited = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await exited
  }
  const isListening = () =>
    new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  const start = async () => {
    daemon = spawn('/usr/sbin/rsyslogd', ['-n', '-f', conf, '-i', join(folder, 'pid')], { stdio: 'ignore' })
    await until('rsyslog', isListening)
  }
  defer(t, stop)
  const found = (pattern: RegExp) =>
    until(String(pattern), () => existsSync(received) && pattern.test(readFileSync(received, 'utf8')), {
      details: () => (existsSync(received) ? readFileSync(received, 'utf8') : 'nothing'),
    })
  await start()
  return { socket: `unix:${folder}/log`, tcp: `tcp://127.0.0.1:${port}`, found, start, stop }
}

describe('logs.syslog', () => {
  for (const kind of ['socket', 'tcp'] as const) {
    it(`sends every line to rsyslog by ${kind}, also after a restart of it`, async t => {
      const server = await startRsyslog(t)
      const files = { 'monohull.yaml': `https: off\nlogs: { syslog: "${server[kind]}" }\napp: { workers: 1 }\n` }
      const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], files })
      await monohull.serving()
      await server.found(/^info app\.1 \d+\|1\|listening on \d+$/m)
      await server.found(/^info monohull -\|1\|serving http=/m)
      await monohull.request({ path: '/before' })
      await server.found(/^info nginx-access -\|1\|.*127\.0\.0\.1 \S+ "GET \/before HTTP/m)
      await server.stop()
      await monohull.request({ path: '/meanwhile' })
      await server.start()
      await until('a line after the restart', async () => {
        await monohull.request({ path: '/crash' })
        return server.found(/^err monohull -\|1\|worker died/m)
      })
      assert.equal(monohull.process.exitCode, null)
    })
  }
})
