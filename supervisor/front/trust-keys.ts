import * as z from 'zod'
import { docs, networks } from '../config/values.ts'

/** Keys about proxies in front of this one. */
export const trustKeys = {
  trusted_proxies: networks.default([]).register(docs, {
    description:
      'Addresses and networks (CIDR) of proxies in front. Their X-Forwarded-For determines the client address, and their X-Forwarded-Proto, -Host, -Port, X-Request-Id and traceparent reach the app. These headers from anyone else are replaced',
  }),
  proxy_protocol: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Whether every connection begins with a PROXY protocol header, as TCP balancers send it. It determines the client address if the balancer is in trusted_proxies. Connections without the header are closed',
  }),
  forwarded_header: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Whether the app gets a Forwarded header (RFC 7239) in addition to the X-Forwarded headers',
  }),
}
