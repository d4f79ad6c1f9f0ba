import * as z from 'zod'
import { docs, whole } from '../../config/values.ts'

const ask = 'expected a URL such as http://127.0.0.1:9000/allowed, or routes'

/** Key `tls.on_demand`. */
export const onDemand = z
  .strictObject({
    ask: z
      .string({ error: ask })
      .regex(/^(routes|https?:\/\/[^\s/?#]+[^\s#]*)$/, ask)
      .register(docs, {
        description:
          'URL that is requested with `?domain=NAME` before a certificate is ordered or renewed: 200 allows it, any other response does not. routes: allows hosts with a route in dynamic_routes',
      }),
    orders_per_hour: whole(1, 10_000).default(60).register(docs, {
      description: 'Maximum number of orders in an hour; beyond it, names without a certificate are refused',
    }),
    orders_per_domain: whole(1, 10_000).default(10).register(docs, {
      description: 'Maximum number of these orders for one domain, such as example.com, with all names below it',
    }),
  })
  .optional()
