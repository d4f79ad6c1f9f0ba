import * as z from 'zod'
import { docs, whole } from '../../config/values.ts'

const trueOrFalse = 'expected true or false'

/** The key `metrics`. */
export const metrics = z
  .strictObject({
    port: whole(1, 65535, 'expected a port from 1 to 65535').optional().register(docs, {
      description: 'Port for Prometheus, at /metrics; default: none, and the admin socket and routes only',
    }),
    bind: z
      .union([z.ipv4(), z.ipv6()], { error: 'expected an IP address such as 127.0.0.1 or ::' })
      .default('127.0.0.1')
      .register(docs, {
        description: 'Address of the port. Whoever reaches it may read the metrics, without a password',
      }),
    requests: z.boolean({ error: trueOrFalse }).default(true).register(docs, {
      description: 'Whether nginx counts requests, for metrics and the status',
    }),
    hosts: z.boolean({ error: trueOrFalse }).default(false).register(docs, {
      description:
        'Whether requests are counted for each configured host, and _other for all others; each host multiplies the time series',
    }),
  })
  .prefault({})
