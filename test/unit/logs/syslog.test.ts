import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import { counted, syslogAddress, syslogMessage } from '../../../supervisor/logs/syslog/message.ts'
import { createSyslogSender } from '../../../supervisor/logs/syslog/sender.ts'

const line = { level: 'warn' as const, time: '2026-11-30T22:00:00.123Z', source: 'app.1', pid: 7, text: 'slow – é' }

describe('logs/syslog: messages', () => {
  it('are those of RFC 5424', () => {
    const message = syslogMessage(line, 'web 1').toString()
    assert.equal(message, '<28>1 2026-11-30T22:00:00.123Z web_1 app.1 7 - - slow – é')
    assert.match(syslogMessage({ ...line, level: 'error' }, 'a').toString(), /^<27>1 /)
  })

  it('are cut between characters', () => {
    const message = syslogMessage({ ...line, text: '€'.repeat(5000) }, 'a')
    assert.ok(message.length <= 8192 && message.length > 8188)
    assert.ok(message.toString().endsWith('€'))
  })

  it('have their length before them in a stream', () => assert.equal(counted(Buffer.from('é')).toString(), '2 é'))

  it('go to an address', () => {
    assert.deepEqual(syslogAddress('unix:/dev/log'), { path: '/dev/log' })
    assert.deepEqual(syslogAddress('tcp://[::1]:80'), { host: '::1', port: 80, isTls: false })
    assert.deepEqual(syslogAddress('tcp://logs.example.com:601'), { host: 'logs.example.com', port: 601, isTls: false })
    assert.deepEqual(syslogAddress('tls://logs.example.com'), { host: 'logs.example.com', port: 6514, isTls: true })
    assert.deepEqual(syslogAddress('tls://[::1]:443'), { host: '::1', port: 443, isTls: true })
  })
})

describe('logs/syslog: the sender', () => {
  async function listen(t: TestContext, port = 0) {
    let text = ''
    const sockets = new Set<net.Socket>()
    const server = net.createServer(socket => {
      sockets.add(socket)
      socket.on('data', data => {
        text += data
      })
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    const close = () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    t.after(close)
    return { port: (server.address() as net.AddressInfo).port, text: () => text, close }
  }

  async function settled(test: () => boolean) {
    for (const deadline = Date.now() + 10_000; !test() && Date.now() < deadline; ) await new Promise(setImmediate)
    assert.ok(test())
  }

  it('sends what it got before it was connected, and again after the server was gone', async t => {
    const first = await listen(t)
    const reports: string[] = []
    const note = (message: string) => void reports.push(message)
    const address = `tcp://127.0.0.1:${first.port}`
    const sender = createSyslogSender({ clock: systemClock, log: { warn: note, info: note }, address })
    t.after(() => sender.close(0))
    sender.send(Buffer.from('early'))
    await settled(() => first.text() === '5 early')
    first.close()
    await settled(() => reports.length === 1)
    sender.send(Buffer.from('meanwhile'))
    const again = await listen(t, first.port)
    await settled(() => again.text() === '9 meanwhile')
    for (let count = 0; count < 1000; count++) sender.send(Buffer.alloc(100, 'x'))
    await sender.close(5000)
    assert.equal(again.text().length, '9 meanwhile'.length + 1000 * 104)
    assert.match(reports.join(), /^cannot send to the syslog server.*,syslog server is connected again/)
    assert.equal(sender.dropped(), 0)
  })

  it('keeps 1 MB while there is no server, and counts the rest', async t => {
    const { port, close } = await listen(t)
    close()
    const log = { warn: () => {}, info: () => {} }
    const sender = createSyslogSender({ clock: systemClock, log, address: `tcp://127.0.0.1:${port}` })
    for (let count = 0; count < 2000; count++) sender.send(Buffer.alloc(1020, 'x'))
    assert.ok(sender.dropped() > 900 && sender.dropped() < 1100, `${sender.dropped()}`)
    await sender.close(0)
  })
})
