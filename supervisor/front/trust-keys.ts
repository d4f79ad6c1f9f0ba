import * as z from 'zod'
import { docs, network } from '../config/values.ts'

const proxy = 'expected an address or network such as 10.0.0.0/8 or ::1, cloudflare or private'

/** Keys about proxies in front of this one. */
export const trustKeys = {
  trusted_proxies: z
    .array(z.union([network, z.enum(['cloudflare', 'private'])], { error: proxy }), { error: proxy })
    .default([])
    .register(docs, {
      description:
        'Addresses and networks (CIDR) of proxies in front; cloudflare: those of Cloudflare; private: all private networks. Their X-Forwarded-For determines the client address, and their X-Forwarded-Proto, -Host, -Port, X-Request-Id and traceparent reach the app. These headers from anyone else are replaced',
    }),
  proxy_protocol: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Whether every connection begins with a PROXY protocol header, as TCP balancers send it. It determines the client address if the balancer is in trusted_proxies. Connections without the header are closed',
  }),
  forwarded_header: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Whether the app gets a Forwarded header (RFC 7239) in addition to the X-Forwarded headers',
  }),
}
