import * as z from 'zod'
import { docs } from '../config/values.ts'

const error = 'expected an address or network such as 10.0.0.0/8 or ::1'

/** List of IPv4 and IPv6 addresses and networks (CIDR). */
export const networks = z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error }), { error })

/** Keys about proxies in front of this one. */
export const trustKeys = {
  trusted_proxies: networks.default([]).register(docs, {
    description:
      'Addresses and networks (CIDR) of proxies in front. Their X-Forwarded-For determines the client address, and their X-Forwarded-Proto, -Host, -Port and X-Request-Id reach the app. These headers from anyone else are replaced',
  }),
  proxy_protocol: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Whether every connection begins with a PROXY protocol header, as TCP balancers send it. It determines the client address if the balancer is in trusted_proxies. Connections without the header are closed',
  }),
  forwarded_header: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Whether the app gets a Forwarded header (RFC 7239) in addition to the X-Forwarded headers',
  }),
}
