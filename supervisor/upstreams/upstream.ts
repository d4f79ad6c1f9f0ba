import type { Balance } from '../nginx/balance.ts'

/** Servers elsewhere. Without any, requests for it are answered with 503. */
export interface ExternalUpstream {
  name: string
  servers: { address: string; weight: number; isBackup: boolean }[]
  balance: Balance
  keepalive: number
  /** How many servers a request is tried on. */
  tries: number
  maxFails: number
  failTimeoutSeconds: number
  /** Host header for the servers; undefined: the client's. */
  host: string | undefined
  tls: { name: string | undefined; authorities: string | undefined } | undefined
}
