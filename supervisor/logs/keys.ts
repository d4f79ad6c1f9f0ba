import * as z from 'zod'
import { absolutePath, docs, optionalDuration, size, statePath, whole } from '../config/values.ts'

const syslogError = 'expected an address such as unix:/dev/log or tcp://10.0.0.1:601, or tls://logs.example.com'
const host = '([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])'
const syslogAddress = new RegExp(`^(unix:/[^\\s"'\\\\;{}$]+|tcp://${host}:\\d{1,5}|tls://${host}(:\\d{1,5})?)$`)

/** The key `logs`. */
export const logs = z
  .strictObject({
    files: z
      .strictObject({
        directory: statePath.register(docs, {
          description:
            'Directory for monohull.log, with every line but those of nginx for requests, and access.log with these; of this instance alone',
        }),
        max_size: size.prefault('100MB').register(docs, {
          description: 'Size from which a file is renamed and begun again; that of access.log is checked every 10 s',
        }),
        max_age: optionalDuration().register(docs, {
          description: 'Age from which renamed files are removed; default: no limit',
        }),
        keep: whole(0, 10_000)
          .default(5)
          .register(docs, { description: 'Number of renamed files of each kind that remain' }),
        compress: z
          .boolean({ error: 'expected true or false' })
          .default(true)
          .register(docs, { description: 'Whether renamed files are compressed with gzip' }),
      })
      .optional(),
    otlp: z.boolean({ error: 'expected true or false' }).default(true).register(docs, {
      description:
        'Whether to export logs, metrics and spans by OTLP if the variable OTEL_EXPORTER_OTLP_ENDPOINT is set; false: only the app does',
    }),
    syslog: z.string({ error: syslogError }).regex(syslogAddress, syslogError).optional().register(docs, {
      description:
        'Syslog server that gets every line beside stdout (RFC 5424): a unix socket, such as unix:/dev/log, tcp://host:port, or tls://host:port (RFC 5425, port 6514 by default)',
    }),
    syslog_ca: absolutePath.optional().register(docs, {
      description: 'PEM file with the CA of a syslog server with TLS; default: public CAs',
    }),
    overflow: z.enum(['block', 'drop'], { error: 'expected block or drop' }).default('block').register(docs, {
      description:
        'While nobody reads stdout or stderr; block: programs and nginx wait for room; drop: lines are dropped and counted, and access lines pass through the supervisor',
    }),
  })
  .prefault({})

/** Value of the key `logs`. */
export type LogsConfig = z.output<typeof logs>
/** Value of the key `logs.files`. */
export type LogFilesConfig = NonNullable<LogsConfig['files']>
