import type { FrontRules } from '../supervisor/front/rules.ts'
import type { Spool } from '../supervisor/front/spool.ts'

/** A front with nothing configured. */
export const plainFront: FrontRules = {
  trust: { proxies: [], proxyProtocol: false, forwardedHeader: false },
  publicPorts: { http: 80, https: 443 },
  compression: { hasBrotli: false, minLength: 256, types: [], skipsWithCookies: false },
  http3: undefined,
  hsts: undefined,
  limits: { bodySize: '10m', rate: undefined, connections: undefined, requests: 3584 },
  access: { basicAuth: undefined, allow: undefined, deny: [] },
  clientCertificates: undefined,
  unknownHost: undefined,
  cache: undefined,
  sendFiles: new Map(),
  copiedHeaders: [],
  errorPages: new Map(),
  headers: [
    { name: 'X-Content-Type-Options', value: 'nosniff' },
    { name: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
  ],
}

/** Bounds of temporary files on a large disk. */
export const diskSpool = (directory: string): Spool => ({
  directory,
  responseBytes: 256 * 2 ** 20,
  totalBodyBytes: undefined,
  storesBodies: true,
  bodyBufferBytes: 128 * 1024,
})
