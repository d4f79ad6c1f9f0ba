import type { z } from 'zod'
import { OperatorError } from '../base/errors.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { FrontFiles } from './adapters/files.ts'
import type { Cache } from './cache/cache.ts'
import type { cacheValue } from './cache/keys.ts'
import type { Compression } from './compression.ts'
import type { CompressionConfig } from './compression-keys.ts'
import type { RateLimit } from './limits.ts'
import { expandNetworks } from './named-networks.ts'
import type { ResponseHeadersConfig } from './response-header-keys.ts'
import { headersOf } from './response-headers.ts'
import type { FrontRules } from './rules.ts'

const defaultBurst = 20
const defaultCompression = { brotli: 'auto', min_length: 256, types: [], skip_with_cookies: false }
/** Realm of basic_auth if none is set. */
export const defaultRealm = 'Restricted'

/** Keys of the whole front. */
export interface FrontRulesKeys {
  trusted_proxies: string[]
  proxy_protocol: boolean
  forwarded_header: boolean
  public_http_port?: number | undefined
  public_https_port?: number | undefined
  compression: CompressionConfig
  headers: ResponseHeadersConfig
  http3: boolean
  max_body_size: string
  rate_limit?: string | undefined
  connection_limit?: number | undefined
  basic_auth: { realm?: string | undefined; forward: boolean }
  allow?: string[] | undefined
  deny?: string[] | undefined
  unknown_host: string
  cache?: z.output<typeof cacheValue> | undefined
}

/** Sources of the rules besides the keys. */
export interface FrontRulesSources {
  /** Contents of the user's files. */
  files: FrontFiles
  features: NginxFeatures
  /** HTTPS port that clients see: the configured one, or the one that nginx listens on. */
  publicPort: number
  /** Requests that one nginx worker processes at the same time. */
  requests: number
  /** Every host name in the configuration. */
  hosts: readonly string[]
}

/** Rules of the whole front. Throws an OperatorError if they require a feature that the installed nginx lacks. */
export function frontRules(
  config: FrontRulesKeys,
  { files: frontFiles, features, publicPort, requests, hosts }: FrontRulesSources,
): Omit<FrontRules, 'hsts' | 'copiedHeaders'> {
  return {
    trust: {
      proxies: expandNetworks(config.trusted_proxies),
      proxyProtocol: config.proxy_protocol,
      forwardedHeader: config.forwarded_header,
    },
    publicPorts: { http: config.public_http_port ?? 80, https: config.public_https_port ?? 443 },
    compression: chooseCompression(config.compression, features),
    headers: headersOf(config.headers),
    http3: chooseHttp3(config, features, publicPort),
    limits: {
      bodySize: config.max_body_size === 'off' ? undefined : config.max_body_size,
      rate: config.rate_limit === undefined ? undefined : readRate(config.rate_limit),
      connections: config.connection_limit,
      requests,
    },
    access: {
      basicAuth:
        frontFiles.passwords === undefined
          ? undefined
          : {
              file: frontFiles.passwords,
              realm: config.basic_auth.realm ?? defaultRealm,
              forwards: config.basic_auth.forward,
            },
      allow: config.allow,
      deny: config.deny ?? [],
    },
    clientCertificates: frontFiles.clientCertificates,
    unknownHost:
      config.unknown_host === 'serve' ? undefined : { status: config.unknown_host === '421' ? 421 : 444, known: hosts },
    cache: config.cache && toCache(config.cache, features),
    sendFiles: frontFiles.sendFiles,
    errorPages: frontFiles.errorPages,
  }
}

/** Cache from its keys. */
export function toCache(value: z.output<typeof cacheValue>, { luaModules }: Pick<NginxFeatures, 'luaModules'>): Cache {
  const { ttl, key, max_size, stale_while_revalidate, cookies } = value
  return {
    ttlSeconds: Math.ceil(ttl / 1000),
    key,
    maxSize: max_size,
    staleWhileRevalidate: stale_while_revalidate,
    cookies,
    hasLua: luaModules !== undefined,
  }
}

/** Rate from a text such as `10/s burst=50`. */
export function readRate(text: string): RateLimit {
  const [, count, per, burst] = /^(\d+)\/(.)(?: burst=(\d+))?$/.exec(text) ?? []
  return { count: Number(count), per: per === 'm' ? 'm' : 's', burst: Number(burst ?? defaultBurst) }
}

function chooseHttp3(
  config: FrontRulesKeys,
  { hasHttp3, version }: NginxFeatures,
  publicPort: number,
): FrontRules['http3'] {
  if (!config.http3) return undefined
  if (hasHttp3) return { publicPort }
  throw new OperatorError(`cannot serve HTTP/3: the installed nginx ${version} is built without it`, {
    fix: 'use the image, or Debian 13 with nginx 1.26, or remove http3',
  })
}

/** Compression from its keys; undefined if it is off. Throws an OperatorError if it requires a module that the installed nginx lacks. */
export function chooseCompression(
  config: CompressionConfig,
  { brotliModule, luaModules }: NginxFeatures,
): Compression | undefined {
  if (config === 'off') return undefined
  const {
    brotli,
    min_length: minLength,
    types,
    skip_with_cookies: skipsWithCookies,
  } = config === 'on' ? defaultCompression : config
  if (skipsWithCookies && !luaModules) {
    throw new OperatorError('cannot use compression.skip_with_cookies: the installed nginx has no Lua module', {
      fix: 'apt-get install libnginx-mod-http-lua, or set compression to off',
    })
  }
  if (brotli === 'on' && !brotliModule) {
    throw new OperatorError('cannot compress with Brotli: the installed nginx has no module for it', {
      fix: 'apt-get install libnginx-mod-http-brotli-filter, or remove compression.brotli',
    })
  }
  return { hasBrotli: brotli !== 'off' && brotliModule !== undefined, minLength, types, skipsWithCookies }
}
