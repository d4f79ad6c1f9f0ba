// needs: rsyslog rsyslog-openssl
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeIssuedCertificate } from '../make-issued-certificate.ts'
import { freePorts } from './free-ports.ts'
import { defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

/** rsyslog, which writes what it has parsed: severity, program, pid and text. With TLS, its certificate is one for localhost. */
async function startRsyslog(t: TestContext, kind: 'socket' | 'tcp' | 'tls') {
  const folder = temporaryFolder(t)
  const ca = join(folder, 'ca.pem')
  if (kind === 'tls') makeIssuedCertificate(folder, 'localhost', ca)
  const driver = `DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="${ca}" DefaultNetstreamDriverCertFile="${folder}/fullchain.pem" DefaultNetstreamDriverKeyFile="${folder}/privkey.pem"`
  const tls = 'StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"'
  const [port = 0] = await freePorts(1)
  const file = join(folder, 'received')
  const conf = join(folder, 'rsyslog.conf')
  writeFileSync(
    conf,
    `global(workDirectory="${folder}" ${kind === 'tls' ? driver : ''})
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp" ${kind === 'tls' ? tls : ''})
input(type="imuxsock" Socket="${folder}/log" CreatePath="on" UseSpecialParser="off" UseSysTimeStamp="off")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="parsed" type="string" string="%syslogseverity-text% %app-name% %procid%|%protocol-version%|%msg%\\n")
action(type="omfile" file="${file}" template="parsed")
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
  const received = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  const found = (pattern: RegExp) => until(String(pattern), () => pattern.test(received()), { details: received })
  await start()
  const addresses = { socket: `unix:${folder}/log`, tcp: `tcp://127.0.0.1:${port}`, tls: `tls://localhost:${port}` }
  return { address: addresses[kind], port, ca, found, received, start, stop }
}

describe('logs.syslog', () => {
  for (const kind of ['socket', 'tcp', 'tls'] as const) {
    it(`sends every line to rsyslog by ${kind}, also after a restart of it`, async t => {
      const server = await startRsyslog(t, kind)
      const ca = kind === 'tls' ? `, syslog_ca: ${server.ca}` : ''
      const logs = `logs: { syslog: "${server.address}"${ca} }`
      const files = { 'monohull.yaml': `https: off\n${logs}\napp: { workers: 1 }\n` }
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

  it('sends nothing to a server whose certificate is that of another CA or host, and says why', async t => {
    const server = await startRsyslog(t, 'tls')
    const stranger = join(temporaryFolder(t), 'ca.pem')
    makeIssuedCertificate(temporaryFolder(t), 'localhost', stranger)
    const refused = async (address: string, other: string, reason: RegExp) => {
      const files = { 'monohull.yaml': `https: off\nlogs: { syslog: "${address}", ${other} }\n` }
      const monohull = startMonohull(t, { args: ['run', 'node', fixture('hello.cjs')], files })
      await monohull.serving()
      await monohull.seen(reason)
    }
    const unknown = /cannot send to the syslog server.*set logs\.syslog_ca to the CA/
    await refused(server.address, `syslog_ca: ${stranger}`, unknown)
    await refused(server.address, 'overflow: block', unknown)
    const byAddress = `tls://127.0.0.1:${server.port}`
    await refused(byAddress, `syslog_ca: ${server.ca}`, /cannot send to the syslog server.*does not match/)
    assert.equal(server.received(), '')
  })

  it('is not started with a CA that is none', async t => {
    const files = { 'monohull.yaml': 'logs: { syslog: "tls://localhost", syslog_ca: /etc/hostname }\n' }
    const monohull = startMonohull(t, { args: ['check', 'node', fixture('hello.cjs')], files })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /logs\.syslog_ca/)
  })
})
