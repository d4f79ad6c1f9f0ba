import * as z from 'zod'
import { parseDuration } from '../base/duration.ts'
import { hostNamePattern } from '../base/host-name.ts'
import { parseSize } from '../base/size.ts'
import { splitCommand } from './command-words.ts'
import { describeCronProblem } from './cron-expression.ts'

// before any schema is made: no code is generated for one that is used once
z.config({ jitless: true })

/** The kinds of values that keys of the configuration take, with the messages for others. */

const durationText = (minimumMs: number) =>
  z.string({ error: 'expected a duration such as 500ms, 8s or 5m' }).transform((text, context) => {
    const durationMs = parseDuration(text)
    if (durationMs === undefined)
      context.addIssue({ code: 'custom', message: 'expected a duration such as 500ms, 8s or 5m' })
    else if (durationMs < minimumMs)
      context.addIssue({
        code: 'custom',
        message: `expected a duration ${minimumMs > 1 ? `of at least ${minimumMs} ms` : 'above zero'}`,
      })
    return durationMs ?? 0
  })

/**
 * What a key is, for the reference and the JSON Schema: `register` says it of the schema itself. `describe` makes a copy first,
 * which a schema that several keys share needs, and which every start would feel if all keys did so.
 */
export const docs = z.globalRegistry

export const duration = (defaultText: string, minimumMs = 1) => durationText(minimumMs).prefault(defaultText)

export const optionalDuration = () => durationText(1).optional()

/** An amount of memory; 0 where it is off. */
export const size = z
  .string({ error: 'expected an amount of memory such as 512MB or 2GB' })
  .transform((text, context) => {
    const bytes = parseSize(text)
    if (bytes === undefined)
      context.addIssue({ code: 'custom', message: 'expected an amount of memory such as 512MB or 2GB' })
    return bytes ?? 0
  })

/** A whole number from `minimum` to `maximum`; `error` says so in other words. */
export const whole = (
  minimum: number,
  maximum: number,
  error = `expected a whole number from ${minimum} to ${maximum}`,
) => z.number({ error }).int(error).min(minimum, error).max(maximum, error)

export const cronExpression = z.string({ error: 'expected a cron expression such as 0 4 * * *' }).check(context => {
  const message = describeCronProblem(context.value)
  if (message !== undefined) context.issues.push({ code: 'custom', message, input: context.value })
})

export const port = (what: string, fallback: number) =>
  z
    .number({ error: 'expected a port number' })
    .int('expected a whole port number')
    .min(0, 'expected a port from 0 to 65535')
    .max(65535, 'expected a port from 0 to 65535')
    .default(fallback)
    .register(docs, { description: `${what}; 0 takes any free port` })

export const httpPath = (what: string, fallback: string) =>
  z
    .string()
    .regex(/^(off|\/[A-Za-z0-9._~\-/]*)$/, 'expected a path such as /healthz, or off')
    .default(fallback)
    .register(docs, { description: what })

export const absolutePath = z
  .string({ error: 'expected an absolute path' })
  .regex(/^\/[^\s$"'\\;:{}]*$/, 'expected an absolute path without spaces, quotes, colons and $')

/** A path, relative ones too, without what nginx reads as something else in one. */
export const nginxPath = /^[^"\\;{}$\n\0]+$/

/** For what is written there. In /proc, Node's mkdir tries for ever. */
export const writtenDirectory = z
  .string({ error: 'expected an absolute path' })
  .regex(
    /^\/(?!(proc|sys)(\/|$))[^\s$"'\\;:{}]*$/,
    'expected an absolute path outside /proc and /sys, without spaces, quotes, colons and $',
  )

export const hostName = z.string({ error: 'expected a host name such as www.example.com' }).regex(hostNamePattern, {
  error: ({ input }) => asciiHost(String(input)) ?? 'expected a host name such as www.example.com',
})

/** What to write for a name with letters such as ü, which clients never ask for as they are. */
function asciiHost(name: string): string | undefined {
  if (!/[^\x00-\x7f]/.test(name) || !URL.canParse(`http://${name}`)) return undefined
  const { hostname } = new URL(`http://${name}`)
  return `expected a host name in ASCII, which is ${hostname} for this one`
}

const word = z
  .string({ error: 'expected a text, in quotes where YAML reads something else' })
  .refine(text => !text.includes('\0'), 'expected words without a NUL character')

const commandText = z
  .union([word, z.array(word).min(1, 'expected at least the program')], {
    error: 'expected a list of words or one string',
  })
  .refine(value => !Array.isArray(value) || value[0] !== '', 'expected a program as the first word')

function toWords(value: string | string[], context: z.RefinementCtx): string[] {
  if (Array.isArray(value)) return value
  const result = splitCommand(value)
  if (result.ok) return result.words
  context.addIssue({ code: 'custom', message: result.problem })
  return []
}

export const command = commandText.transform(toWords)

const hookTimeout = '30s'
const hookTimeoutMs = parseDuration(hookTimeout) ?? 0

/** A command that is run at an event. */
export const hook = (when: string) =>
  z
    .union([commandText, z.strictObject({ command: commandText, timeout: duration(hookTimeout) })], {
      error: 'expected a command, or {command: node migrate.js, timeout: 2m}',
    })
    .transform((value, context) => {
      const isCommand = typeof value === 'string' || Array.isArray(value)
      const { command, timeout } = isCommand ? { command: value, timeout: hookTimeoutMs } : value
      return { command: toWords(command, context), timeout }
    })
    .optional()
    .register(docs, {
      description: `Command to run ${when}; {command, timeout} gives it more or less than ${hookTimeout}`,
    })

/** A count, or auto. */
export const countOrAuto = (maximum: number) => {
  const error = `expected a whole number from 1 to ${maximum}, or auto`
  return z.union([z.literal('auto'), whole(1, maximum, error)], { error })
}

const mostWorkers = 1024
const workersError = `expected a whole number from 1 to ${mostWorkers}, auto, or {min: 2, max: 8}`
const limit = whole(1, mostWorkers)

/** How many workers an app has: a count, auto, or the bounds of what the load takes. */
export const workerCount = z
  .union([z.literal('auto'), whole(1, mostWorkers, workersError), z.strictObject({ min: limit, max: limit })], {
    error: workersError,
  })
  .superRefine((value, context) => {
    if (typeof value === 'object' && value.min > value.max)
      context.addIssue({ code: 'custom', path: ['min'], message: 'expected at most max' })
  })

/** What tells a worker who it is and where its socket is. */
const ownVariable =
  /^(LISTEN_(FDS|PID|FDNAMES)|MONOHULL_(APP|SLOT|WORKERS?|NOTIFY_FD|SOCKET_INODE|REQUEST_LIMIT|(GRACEFUL_TIMEOUT|HEARTBEAT|LOAD_INTERVAL)_MS))$/

export const environment = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name')
      .refine(name => !ownVariable.test(name), 'expected another name: this one is set by monohull'),
    z.union(
      [z.string(), z.number().transform(String), z.boolean().transform(String), z.strictObject({ file: z.string() })],
      {
        error: 'expected a text, a number, or {file: PATH}',
      },
    ),
  )
  .default({})
  .register(docs, {
    description: "Variables for the app, over the container's own; {file: PATH} reads the value (a secret) from a file",
  })
  .meta({ secret: true })

export const backoff = z
  .strictObject({
    initial: duration('200ms').register(docs, {
      description: 'Wait before the restart after the first fast failure; doubles with each further one',
    }),
    max: duration('30s').register(docs, { description: 'The longest wait between restarts' }),
  })
  .prefault({})

/** A name of an app or a process, as it stands in logs, sockets and variables. */
export const programName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case letters, digits and single dashes between them')
  .max(32, 'expected at most 32 characters')
  .refine(name => name !== 'init', 'expected another name: init is what the init commands are called in the log')
