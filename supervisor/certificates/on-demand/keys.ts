import * as z from 'zod'
import { docs, whole } from '../../config/values.ts'

const ask = 'expected a URL such as http://127.0.0.1:9000/allowed, or routes'

/** The key `tls.on_demand`. */
export const onDemand = z
  .strictObject({
    ask: z
      .string({ error: ask })
      .regex(/^(routes|https?:\/\/[^\s/?#]+[^\s#]*)$/, ask)
      .register(docs, {
        description:
          'Asked with `?domain=NAME` before a certificate is ordered, and before it is renewed: 200 allows it, any other answer does not. routes: allowed are hosts with a route in dynamic_routes',
      }),
    orders_per_hour: whole(1, 10_000).default(60).register(docs, {
      description: 'Orders in an hour at most; then names without a certificate are refused',
    }),
    orders_per_domain: whole(1, 10_000).default(10).register(docs, {
      description: 'Of those, for one domain and all names below it, such as example.com',
    }),
  })
  .optional()
