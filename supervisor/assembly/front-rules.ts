import type { FrontRules } from '../domain/nginx-front.ts'
import type { Settings } from './settings.ts'

/** What holds for the whole front, by the configuration. */
export function frontRules({ config }: Settings): FrontRules {
  return {
    trust: {
      proxies: config.trusted_proxies,
      proxyProtocol: config.proxy_protocol,
      forwardedHeader: config.forwarded_header,
    },
  }
}
