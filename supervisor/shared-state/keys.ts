import * as z from 'zod'
import { docs, duration } from '../config/values.ts'
import { describeLoginProblems, redisLogin } from './redis/login-keys.ts'
import { readRedisUrl } from './redis/url.ts'

const secret = 'expected secrets of at least 32 characters each, one per line: openssl rand -hex 32'

/** The key `shared_state`. */
export const sharedState = z
  .strictObject({
    url: z
      .string({ error: 'expected the URL of a Redis server, such as rediss://redis:6379' })
      .check(({ value, issues }) => {
        const url = readRedisUrl(value)
        if (!url.ok) issues.push({ code: 'custom', input: value, message: url.problem, params: { fix: url.fix } })
      })
      .register(docs, {
        description:
          'Redis or Valkey server for what several instances share. The URL is written as in dynamic_routes.store: `redis://HOST:6379`, `rediss://HOST:6379` for TLS, `unix:PATH`, `redis+sentinel://…` or `redis+cluster://…`',
        secret: true,
      }),
    prefix: z
      .string({ error: 'expected text, in quotes' })
      .max(200, 'expected at most 200 characters')
      .regex(/^[\x21-\x7a|~]*$/, 'expected ASCII characters without spaces and braces')
      .default('monohull:')
      .register(docs, {
        description: "Start of the names of Redis's keys. Instances with the same server and prefix share their state",
      }),
    ...redisLogin,
    secret: z
      .string({ error: secret })
      .regex(/^\s*\S{32,}(\s+\S{32,})*\s*$/, secret)
      .optional()
      .register(docs, {
        description:
          'Secret that seals private keys before they are stored in Redis (AES-256-GCM); at least 32 characters, from its variable with _FILE. Several secrets, one per line: the first seals, each of them opens. Required with tls.acme',
        secret: true,
      }),
    lease: duration('15s', 1000).register(docs, {
      description:
        'Time after which the lock of an instance that was killed, frozen or cut off passes to another one. It is measured by Redis',
    }),
  })
  .superRefine((value, context) => {
    const url = readRedisUrl(value.url)
    if (!url.ok) return
    for (const { key, message, fix } of describeLoginProblems(value, url.value, 'server'))
      context.addIssue({ code: 'custom', path: [key], message, params: { fix } })
  })
  .optional()

/** Value of the key `shared_state`, if it is set. */
export type SharedStateKeys = NonNullable<z.output<typeof sharedState>>

/** Conflicts between `shared_state` and other keys. */
export function describeSharedStateProblems(config: {
  shared_state?: { secret?: string | undefined } | undefined
  tls: { acme?: { challenge: string } | undefined }
}) {
  const { shared_state: shared, tls } = config
  if (!shared || !tls.acme) return []
  if (tls.acme.challenge === 'tls-alpn-01')
    return [
      {
        path: ['tls', 'acme', 'challenge'],
        message:
          'expected http-01 or dns-01 with shared_state, because the CA may reach an instance that does not order',
        params: { fix: 'set tls.acme.challenge to http-01 or dns-01, or remove shared_state' },
      },
    ]
  if (shared.secret !== undefined) return []
  return [
    {
      path: ['shared_state', 'secret'],
      message: 'is required with tls.acme, whose private keys are stored there',
      params: { fix: 'write one with openssl rand -hex 32, and name its file in MONOHULL_SHARED_STATE_SECRET_FILE' },
    },
  ]
}
