import * as z from 'zod'
import { command, docs, duration, whole } from '../config/values.ts'

const tcpError = 'expected a port such as 6379, or HOST:PORT'
const tcp = z
  .union([whole(1, 65535, tcpError), z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]/]+):[1-9]\d{0,4}$/, tcpError)], {
    error: tcpError,
  })
  .optional()
const httpError = 'expected a URL such as http://127.0.0.1:8080/health'
const http = z
  .string({ error: httpError })
  .refine(text => /^http:\/\/[^\s@]+$/.test(text) && URL.canParse(text), httpError)
  .optional()
const unix = z
  .string({ error: 'expected the path of a socket' })
  .regex(/^[^\0]+$/, 'expected the path of a socket')
  .optional()

const checkKeys = () => ({
  tcp: tcp.register(docs, { description: 'TCP port that accepts connections, on 127.0.0.1 unless a host is named' }),
  unix: unix.register(docs, {
    description: 'Unix socket that accepts connections, relative to the directory of the process',
  }),
  http: http.register(docs, { description: 'URL that responds to GET with a status from 200 to 399' }),
  exec: command.optional().register(docs, {
    description:
      'Command that ends with exit code 0, as the user, in the directory and with the variables of the process; no shell runs it',
  }),
})

function expectOne(names: readonly string[]) {
  return (value: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const given = names.filter(name => value[name] !== undefined)
    if (given.length === 1) return
    const found = given.length === 0 ? '' : `, not ${given.join(' and ')}`
    context.addIssue({ code: 'custom', message: `expected one of ${names.join(', ')}${found}` })
  }
}

const readyError = 'expected a condition such as {tcp: 6379} or {line: ready to accept connections}'
const healthError = 'expected a check such as {tcp: 6379} or {exec: redis-cli ping}'

/** The key `ready`. */
export const ready = z
  .strictObject(
    {
      ...checkKeys(),
      line: z
        .string({ error: 'expected text' })
        .min(1, 'expected text')
        .optional()
        .register(docs, { description: 'Text that a line of its output contains' }),
      timeout: duration('1m').register(docs, {
        description: 'Time to become ready; a process that exceeds it is stopped and counts as failed',
      }),
    },
    { error: readyError },
  )
  .superRefine(expectOne(['tcp', 'unix', 'http', 'exec', 'line']))
  .optional()
  .register(docs, {
    description: 'Condition for it to be ready; default: it has run for half a second, or has ended with exit code 0',
  })

/** The key `health`. */
export const health = z
  .strictObject(
    {
      ...checkKeys(),
      interval: duration('10s', 100).register(docs, { description: 'Pause between two checks' }),
      timeout: duration('5s').register(docs, { description: 'Time for a check; one that exceeds it has failed' }),
      failures: whole(1, 1000).default(3).register(docs, {
        description: 'Failed checks in a row after which the process is stopped and restarted',
      }),
      start_period: duration('0s', 0).register(docs, {
        description: 'Time after it became ready in which failed checks do not count',
      }),
    },
    { error: healthError },
  )
  .superRefine(expectOne(['tcp', 'unix', 'http', 'exec']))
  .optional()
  .register(docs, { description: 'Checks of a ready process; one that fails them is stopped and restarted' })

/** Configured condition of readiness. Durations in ms. */
export type ReadyConfig = NonNullable<z.output<typeof ready>>
/** Configured health checks. Durations in ms. */
export type HealthConfig = NonNullable<z.output<typeof health>>
