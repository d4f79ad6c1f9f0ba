import * as z from 'zod'
import { isLoopback } from '../base/loopback.ts'
import { docs } from '../config/values.ts'

const leastToken = 16
const tokenText = `expected at least ${leastToken} ASCII characters without spaces`

/** The key `admin`: access to the admin API and the status page by TCP, and what the page may do. */
export const admin = z
  .strictObject({
    port: z
      .number({ error: 'expected a port number' })
      .int('expected a whole port number')
      .min(0, 'expected a port from 0 to 65535')
      .max(65535, 'expected a port from 0 to 65535')
      .optional()
      .register(docs, {
        description:
          'Port for the status page and the admin API, such as 9114; 0 means any free port. Default: none, only the socket in run_dir',
      }),
    bind: z
      .union([z.ipv4(), z.ipv6()], { error: 'expected an IP address such as 127.0.0.1 or 0.0.0.0' })
      .default('127.0.0.1')
      .register(docs, {
        description: 'Address that `port` listens on; one beyond loopback requires `token`',
      }),
    token: z
      .string({ error: tokenText })
      .min(leastToken, tokenText)
      .regex(/^[\x21-\x7e]+$/, tokenText)
      .optional()
      .register(docs, {
        description:
          'Token that `port` requires of every request for data (`Authorization: Bearer TOKEN`); the page asks for it. It is a secret, so prefer MONOHULL_ADMIN_TOKEN_FILE. `openssl rand -hex 24` prints a good one',
        secret: true,
      }),
    actions: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
      description:
        'Whether the status page and requests to `port` may change something: restart, scale, reload, renew certificates, purge the cache. Requires `token`',
    }),
  })
  .superRefine(({ port, bind, token, actions }, context) => {
    if (token !== undefined) return
    const issue = (message: string, fix: string) =>
      context.addIssue({ code: 'custom', path: ['token'], message, params: { fix } })
    const set = 'set admin.token, for example by MONOHULL_ADMIN_TOKEN_FILE=/run/secrets/admin_token'
    if (port !== undefined && !isLoopback(bind))
      issue(`is required, because others can reach admin.bind ${bind}`, `${set}, or admin.bind to 127.0.0.1`)
    else if (actions) issue('is required for admin.actions', `${set}, or remove admin.actions`)
  })
  .prefault({})
