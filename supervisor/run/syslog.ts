import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { readRoots } from '../certificates/acme/adapters/requirements.ts'
import { openFileTail } from '../logs/adapters/file-tail.ts'
import type { LogRing } from '../logs/log-ring.ts'
import { syslogMessage } from '../logs/syslog/message.ts'
import { createSyslogSender } from '../logs/syslog/sender.ts'
import { accessSyslogName } from '../nginx/log-tails.ts'
import type { Subject } from './subject.ts'

const closeMs = 200
const accessHead = /^\S+ nginx(?:\[\d+\] access)? ?\| /

/** Dependencies of `openSyslog`. */
export interface SyslogDeps {
  clock: Clock
  log: Log
  logs: Pick<LogRing, 'follow'>
  address: string
  /** File with the CA of a server with TLS. */
  caFile: string | undefined
  host: string
  runDir: string
}

/** Copy of every line for a syslog server. */
export function openSyslog({ clock, log, logs, address, caFile, host, runDir }: SyslogDeps): Subject {
  const ca = caFile === undefined ? undefined : readRoots(caFile)
  const sender = createSyslogSender({ clock, log, address, ca })
  const endLines = logs.follow({}, line => sender.send(syslogMessage(line, host)))
  const tail = openFileTail({
    clock,
    path: join(runDir, 'nginx', accessSyslogName),
    output: { write: () => {}, full: () => undefined, end: async () => true },
    render(lines) {
      const time = new Date(clock.now()).toISOString()
      for (const line of lines.toString().split('\n').slice(0, -1)) {
        const message = { level: 'info' as const, time, source: 'nginx-access', text: line.replace(accessHead, '') }
        sender.send(syslogMessage(message, host))
      }
      return ''
    },
  })
  return {
    name: 'syslog',
    metrics: () => [
      {
        name: 'syslog_messages_dropped_total',
        type: 'counter',
        help: 'Messages that were lost because the syslog server failed or did not read',
        samples: [{ labels: {}, value: sender.dropped() }],
      },
    ],
    async close() {
      tail.close()
      endLines()
      await sender.close(closeMs)
    },
  }
}
