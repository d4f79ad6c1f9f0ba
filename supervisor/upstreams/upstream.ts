import type { Balance } from '../nginx/balance.ts'
import type { Protocol } from '../nginx/protocol.ts'

/** Upstream of servers outside the container, in nginx's model. Without servers, nginx responds with 503. */
export interface Upstream {
  name: string
  servers: { address: string; weight: number; isBackup: boolean }[]
  balance: Balance
  keepalive: number
  /** Undefined: HTTP. */
  protocol?: Protocol
  /** Maximum number of servers that a request is tried on. */
  tries: number
  maxFails: number
  failTimeoutSeconds: number
  /** Host header sent to the servers; undefined for the client's. */
  host: string | undefined
  tls: { name: string | undefined; authorities: string | undefined } | undefined
}

/** Whether an upstream was made from a URL, which is its name: no route leads to it. */
export function isOfUrl({ name }: Pick<Upstream, 'name'>): boolean {
  return name.includes('/')
}
