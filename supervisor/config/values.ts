import * as z from 'zod'
import { type CronFields, parseCron } from '../base/cron-expression.ts'
import { parseDuration } from '../base/duration.ts'
import { hostNamePattern } from '../base/host-name.ts'
import { nginxSize, parseSize, sizePattern } from '../base/size.ts'
import { splitCommand } from './command-words.ts'
import { maxWorkers } from './limits.ts'
import { workerVariable } from './variables.ts'

// must come before the first schema: generating code is not worth it for schemas that are used once
z.config({ jitless: true })

/** Duration such as `8s`, in ms, of at least `minimumMs`. */
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
 * Descriptions of keys, for the reference and the JSON Schema. `register` describes the schema itself. `describe` copies it first: a schema
 * that several keys share needs that, but copying every schema would slow each start down.
 */
export const docs = z.globalRegistry

/** Duration in ms with a default. */
export const duration = (defaultText: string, minimumMs = 1) => durationText(minimumMs).prefault(defaultText)

/** Duration in ms, or undefined. */
export const optionalDuration = () => durationText(1).optional()

/** Amount of memory such as `512MB` or `512m`, in bytes. */
export const size = z
  .string({ error: 'expected an amount of memory such as 512MB or 2GB' })
  .transform((text, context) => {
    const bytes = parseSize(text)
    if (bytes === undefined)
      context.addIssue({ code: 'custom', message: 'expected an amount of memory such as 512MB or 2GB' })
    return bytes ?? 0
  })

/** Amount of data such as `10m` or `10MB`, in nginx's notation. */
export const dataSize = (error: string) =>
  z
    .string({ error })
    .regex(sizePattern, error)
    .transform((text, context) => {
      const bytes = parseSize(text)
      if (bytes === undefined) context.addIssue({ code: 'custom', message: error })
      return nginxSize(bytes ?? 0)
    })

/** Whole number from `minimum` to `maximum`. `error` replaces the default message. */
export const whole = (
  minimum: number,
  maximum: number,
  error = `expected a whole number from ${minimum} to ${maximum}`,
) => z.number({ error }).int(error).min(minimum, error).max(maximum, error)

const cron = (fields: CronFields) =>
  z.string({ error: 'expected a cron expression such as 0 4 * * *' }).check(context => {
    const parsed = parseCron(context.value, fields)
    if (!parsed.ok) context.issues.push({ code: 'custom', message: parsed.problem, input: context.value })
  })

/** Cron expression with five fields. */
export const cronExpression = cron('five')

/** Cron expression with five fields, or with the second before them. */
export const cronExpressionWithSeconds = cron('five or six')

/** TCP port, or 0. */
export const port = (what: string, fallback: number) =>
  z
    .number({ error: 'expected a port number' })
    .int('expected a whole port number')
    .min(0, 'expected a port from 0 to 65535')
    .max(65535, 'expected a port from 0 to 65535')
    .default(fallback)
    .register(docs, { description: `${what}; 0 means any free port` })

/** Port number that may be absent, from 1. */
export const optionalPort = (description: string) =>
  z
    .number({ error: 'expected a port number' })
    .int('expected a whole port number')
    .min(1, 'expected a port from 1 to 65535')
    .max(65535, 'expected a port from 1 to 65535')
    .optional()
    .register(docs, { description })

/** URL path, or off. */
export const httpPath = (what: string, fallback: string) =>
  z
    .string()
    .regex(/^(off|\/[A-Za-z0-9._~\-/]*)$/, 'expected a path such as /healthz, or off')
    .default(fallback)
    .register(docs, { description: what })

/** Absolute path that only monohull reads: an installation may have any name. */
export const absolutePath = z
  .string({ error: 'expected an absolute path' })
  .regex(/^\/[^\0]*$/, 'expected an absolute path')

/** Absolute path of a directory for writing, with a name that nginx can read. */
export const statePath = z
  .string({ error: 'expected an absolute path' })
  .regex(
    /^\/(?!(proc|sys)(\/|$))[^$"\\;{}\p{Cc}]*$/u,
    'expected an absolute path outside /proc and /sys, without double quotes, backslashes, ;, {, } and $',
  )

/** Absolute or relative path without characters that nginx would misread. */
export const nginxPath = /^[^"\\;{}$\n\0]+$/

/** Absolute path of a directory for writing. In /proc, Node's mkdir would retry forever. */
export const writtenDirectory = z
  .string({ error: 'expected an absolute path' })
  .regex(
    /^\/(?!(proc|sys)(\/|$))[^\s$"'\\;:{}]*$/,
    'expected an absolute path outside /proc and /sys, without spaces, quotes, colons and $',
  )

/** Host name or wildcard, in ASCII. */
export const hostName = z.string({ error: 'expected a host name such as www.example.com' }).regex(hostNamePattern, {
  error: ({ input }) => asciiHost(String(input)) ?? 'expected a host name such as www.example.com',
})

const hostNameOrAddressPattern = new RegExp(`${hostNamePattern.source}|^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+$`)

/** Host name or wildcard, or an IP address that may be invalid. */
export const hostNameOrAddress = z
  .string({ error: 'expected a host name such as www.example.com, or an IP address' })
  .regex(hostNameOrAddressPattern, {
    error: ({ input }) => asciiHost(String(input)) ?? 'expected a host name such as www.example.com, or an IP address',
  })

/** Message with the ASCII form of a name with letters such as ü, because clients only send that form. */
function asciiHost(name: string): string | undefined {
  if (!/[^\x00-\x7f]/.test(name) || !URL.canParse(`http://${name}`)) return undefined
  const { hostname } = new URL(`http://${name}`)
  return `expected the ASCII form of the host name, ${hostname}`
}

const word = z
  .string({ error: 'expected text, in quotes if YAML would read another type' })
  .refine(text => !text.includes('\0'), 'expected words without a NUL character')

/** Command as written: words, or one string that is split into words. */
export const commandText = z
  .union([word, z.array(word).min(1, 'expected at least the program')], {
    error: 'expected a list of words or one string',
  })
  .refine(value => !Array.isArray(value) || value[0] !== '', 'expected a program as the first word')

/** Words of a command; adds an issue if its quotes are not closed. */
export function toWords(value: string | string[], context: z.RefinementCtx): string[] {
  if (Array.isArray(value)) return value
  const result = splitCommand(value)
  if (result.ok) return result.words
  context.addIssue({ code: 'custom', message: result.problem })
  return []
}

/** Command as a list of words. */
export const command = commandText.transform(toWords)

/** Count, or auto. */
export const countOrAuto = (maximum: number) => {
  const error = `expected a whole number from 1 to ${maximum}, or auto`
  return z.union([z.literal('auto'), whole(1, maximum, error)], { error })
}

const workersError = `expected a whole number from 1 to ${maxWorkers}, auto, or {min: 2, max: 8}`
const workerLimits = z.strictObject({
  min: whole(0, maxWorkers),
  max: whole(1, maxWorkers),
  // nginx closes idle connections to workers after 4 s, and others are in use
  idle: durationText(5000).optional(),
})

/** Number of workers of an app: a count, auto, or bounds for scaling by load. */
export const workerCount = z
  .union([z.literal('auto'), whole(1, maxWorkers, workersError), workerLimits], { error: workersError })
  .superRefine((value, context) => {
    if (typeof value !== 'object') return
    if (value.min > value.max) context.addIssue({ code: 'custom', path: ['min'], message: 'expected at most max' })
    if (value.idle !== undefined && value.min > 0) {
      const params = { fix: 'set min: 0, so that the last worker may end too, or remove idle' }
      context.addIssue({ code: 'custom', path: ['idle'], message: 'has an effect only with min: 0', params })
    }
  })

/** Value of a variable; `intendedValue` makes a text of what YAML would read as a number. */
const variableText = z
  .string()
  .refine(text => !text.includes('\0'), 'expected text without a NUL character')
  .meta({ asWritten: true })

/** Environment variables of a program. */
export const environment = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name')
      .refine(name => !workerVariable.test(name), 'expected another name: monohull sets this one'),
    z.union([variableText, z.strictObject({ file: z.string() })], {
      error: 'expected text, a number, or {file: PATH}',
    }),
  )
  .default({})
  .register(docs, {
    description:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
      "Environment variables for the app; they override the container's. A value is used as written (01234, 1.10); ${NAME} and ${NAME:-default} are the container's variable. {file: PATH} reads the value (a secret) from a file; a name without a value leaves the container's",
  })
  .meta({ secret: true })

/** Bounds of the delay before restarts. */
export const backoff = z
  .strictObject({
    initial: duration('200ms').register(docs, {
      description: 'Delay before the restart after the first fast failure; doubles with each further fast failure',
    }),
    max: duration('30s').register(docs, { description: 'Longest delay before a restart' }),
  })
  .prefault({})

/** Name of an app or process, as used in logs, sockets and variables. */
export const programName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case letters, digits and single dashes between them')
  .max(32, 'expected at most 32 characters')
  .refine(name => name !== 'init', 'expected another name: the log calls the init commands init')

const anyNetwork = 'expected an address or network such as 10.0.0.0/8 or ::1'

/** IPv4 or IPv6 address or network (CIDR). */
export const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error: anyNetwork })

/** List of such addresses and networks. */
export const networks = z.array(network, { error: anyNetwork })
