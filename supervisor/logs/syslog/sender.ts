import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { type LinkEvents, openTcpLink, openTlsLink, openUnixLink, type SyslogLink } from './adapters/links.ts'
import { counted, syslogAddress } from './message.ts'

/** Messages that wait for the server. */
const maxWaitingBytes = 1 << 20
const retryMs = 1000

/** Sender of syslog messages. While the server fails or does not read, 1 MB of them wait, and the others are dropped and counted. */
export interface SyslogSender {
  send(message: Buffer): void
  dropped(): number
  /** Sends what waits, for at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/** Options of `createSyslogSender`. */
export interface SyslogSenderOptions {
  clock: Clock
  log: Pick<Log, 'warn' | 'info'>
  /** As in the key `logs.syslog`. */
  address: string
  /** CA of a server with TLS, as PEM; default: those that Node knows. */
  ca?: string | undefined
}

/** Sender that connects at once, and again a second after each failure. */
export function createSyslogSender({ clock, log, address, ca }: SyslogSenderOptions): SyslogSender {
  const target = syslogAddress(address)
  let link: SyslogLink | undefined
  let isOpen = false
  let hasFailed = false
  let dropped = 0
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let cancel = () => {}
  let isClosed = false

  function connect(): void {
    const events: LinkEvents = {
      onOpen() {
        isOpen = true
        if (hasFailed) log.info('syslog server is connected again', { address, dropped })
        hasFailed = false
        const messages = waiting
        waiting = []
        waitingBytes = 0
        for (const message of messages) link?.stream.write(message)
      },
      onEnd(reason) {
        link = undefined
        isOpen = false
        if (isClosed) return
        if (!hasFailed) log.warn('cannot send to the syslog server, it will be tried again', { address, reason })
        hasFailed = true
        cancel = clock.after(retryMs, connect)
      },
    }
    if ('path' in target) link = openUnixLink(target.path, events)
    else link = target.isTls ? openTlsLink({ ...target, ca }, events) : openTcpLink(target, events)
  }

  function framed(message: Buffer): Buffer {
    if ('host' in target) return counted(message)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(message.length)
    return Buffer.concat([length, message])
  }

  connect()
  return {
    send(message) {
      const bytes = framed(message)
      if (isOpen && link && link.stream.writableLength < maxWaitingBytes) link.stream.write(bytes)
      else if (!isOpen && waitingBytes < maxWaitingBytes) {
        waiting.push(bytes)
        waitingBytes += bytes.length
      } else dropped++
    },
    dropped: () => dropped,
    async close(timeoutMs) {
      isClosed = true
      cancel()
      const present = link
      if (!present) return
      const ended = isOpen
        ? new Promise<void>(resolve => {
            present.stream.once('close', resolve)
            present.stream.end()
          })
        : Promise.resolve()
      await Promise.race([ended, new Promise<void>(resolve => void clock.after(timeoutMs, resolve))])
      present.destroy()
    },
  }
}
