import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AccessRules } from '../logs/access-rules.ts'
import { appending } from '../logs/adapters/appending.ts'
import { type FileTailOptions, openFileTail } from '../logs/adapters/file-tail.ts'
import type { Output } from '../logs/adapters/output.ts'
import type { LogRing } from '../logs/log-ring.ts'
import type { OpenOutputs } from '../logs/open-outputs.ts'
import { redactMessage } from '../logs/redaction.ts'
import { spokenInstead } from '../nginx/adapters/greeting.ts'
import { createErrorLines, messagesIn, nameWorkers } from '../nginx/error-lines.ts'
import { accessLinesName, bytesLogName, errorLogName, escapeBytes } from '../nginx/log-tails.ts'
import { createMismatchWatch } from '../nginx/mismatch-watch.ts'
import { accessFilesOf } from '../site/compose.ts'
import type { Config } from '../site/schema.ts'
import { workerAtSocket } from '../workers/adapters/socket-worker.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { Subject } from './subject.ts'

/** Time for a server of an upstream to show what it speaks. */
const greetingMs = 1000

/** Dependencies of nginx's logs. */
export interface NginxLogsDeps {
  clock: Clock
  log: Pick<Log, 'error' | 'info' | 'warn'>
  stderr: Output
  outputs: Pick<OpenOutputs, 'access'>
  record: { logs: Pick<LogRing, 'append'> }
  /** What `access_log.redact` names now. */
  redacted: () => AccessRules['redacted']
  pools: ReadonlyMap<string, Pick<WorkerPool, 'addresses'>>
}

/** nginx's lines that need another form: its error lines, and in JSON access lines with bytes that need not be UTF-8. */
export interface NginxLogs extends Subject {
  /** Form of nginx's messages on stderr, before it has opened its log; undefined: nginx's own. */
  renderErrors: ((lines: Buffer) => string) | undefined
}

/** Follows the files that nginx writes these lines to. nginx writes all others to stdout by itself. */
export function openNginxLogs(config: Pick<Config, 'log_format' | 'run_dir' | 'logs'>, deps: NginxLogsDeps): NginxLogs {
  const redact = (message: string) => redactMessage(message, deps.redacted())
  const isJson = config.log_format === 'json'
  const { clock, stderr } = deps
  const workerAt = (address: string) => {
    const path = /^unix:(.*)$/.exec(address)?.[1]
    if (path !== undefined) return workerAtSocket(config.run_dir, path)
    const port = /^127\.0\.0\.1:(\d+)$/.exec(address)?.[1]
    return port === undefined ? undefined : workerAtPort(deps.pools, Number(port))
  }
  const renderJson = createErrorLines({ now: clock.now, workerAt, redact })
  const follow = (name: string, output: Output, render: FileTailOptions['render']) =>
    openFileTail({ clock, path: join(config.run_dir, 'nginx', name), output, render })
  const watchMismatch = createMismatchWatch({
    ...deps,
    // a worker is asked while it boots
    spokenInstead: async ({ protocol, host, port }) =>
      workerAt(`${host}:${port}`) === undefined ? spokenInstead({ host, port }, protocol, greetingMs) : undefined,
  })
  const renderErrors = (lines: Buffer) => {
    for (const message of messagesIn(lines)) watchMismatch(message)
    const named = nameWorkers(lines, workerAt, redact)
    deps.record.logs.append({ source: 'nginx', origin: 'nginx' }, named.subarray(0, -1))
    return isJson ? renderJson(lines) : named
  }
  const tails = [
    follow(errorLogName, stderr, renderErrors),
    ...(config.logs.overflow === 'drop' ? [follow(accessLinesName, deps.outputs.access, lines => lines)] : []),
    // nginx cannot write these lines to access.log or for syslog itself
    ...(isJson
      ? [follow(bytesLogName, appending(deps.outputs.access, accessFilesOf(config), deps.log), escapeBytes)]
      : []),
  ]
  return {
    name: 'nginx logs',
    renderErrors: isJson ? renderJson : undefined,
    close() {
      for (const tail of tails) tail.close()
    },
  }
}

function workerAtPort(pools: NginxLogsDeps['pools'], port: number): string | undefined {
  for (const [app, pool] of pools) {
    const entry = pool.addresses().find(({ address }) => address.kind === 'tcp' && address.port === port)
    if (entry) return `${app}.${entry.slot}`
  }
  return undefined
}
