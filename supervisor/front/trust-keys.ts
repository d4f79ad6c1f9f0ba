import * as z from 'zod'
import { docs } from '../config/values.ts'

const error = 'expected an address or network such as 10.0.0.0/8 or ::1'

/** Addresses and networks (CIDR) of IPv4 and IPv6. */
export const networks = z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error }), { error })

/** Keys about proxies in front of this one. */
export const trustKeys = {
  trusted_proxies: networks.default([]).register(docs, {
    description:
      'Addresses and networks (CIDR) of the balancers in front: the client is who they say (X-Forwarded-For), and their X-Forwarded-Proto, -Host and -Port and X-Request-Id reach the app; what anybody else says of this is replaced',
  }),
  proxy_protocol: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Every connection begins with a PROXY protocol header, as TCP balancers send it; the client is who it says when the balancer is in trusted_proxies. Connections without the header are closed',
  }),
  forwarded_header: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .register(docs, { description: 'Whether the app gets a Forwarded header (RFC 7239) besides the X-Forwarded ones' }),
}
