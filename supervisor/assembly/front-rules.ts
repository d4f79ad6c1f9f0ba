import { OperatorError } from '../base/errors.ts'
import { compressionOf } from '../config/compression.ts'
import { headersOf } from '../config/response-headers.ts'
import type { Config } from '../config/schema.ts'
import type { Compression } from '../domain/nginx-compression.ts'
import type { FrontRules } from '../domain/nginx-front.ts'
import type { NginxFeatures } from '../domain/nginx-model.ts'
import type { Settings } from './settings.ts'

/** What holds for the whole front. An OperatorError when it asks for what the installed nginx lacks. */
export function frontRules({ config }: Pick<Settings, 'config'>, features: NginxFeatures): FrontRules {
  return {
    trust: {
      proxies: config.trusted_proxies,
      proxyProtocol: config.proxy_protocol,
      forwardedHeader: config.forwarded_header,
    },
    compression: chooseCompression(config, features),
    headers: headersOf(config.headers),
  }
}

function chooseCompression(config: Config, { brotliModule }: NginxFeatures): Compression | undefined {
  const wanted = compressionOf(config.compression)
  if (!wanted) return undefined
  const { brotli, minLength, types } = wanted
  if (brotli === 'on' && !brotliModule) {
    throw new OperatorError('cannot compress with Brotli: the installed nginx has no module for it', {
      fix: 'apt-get install libnginx-mod-http-brotli-filter, or leave compression.brotli out',
    })
  }
  return { hasBrotli: brotli !== 'off' && brotliModule !== undefined, minLength, types }
}
