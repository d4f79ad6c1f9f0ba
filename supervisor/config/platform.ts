/** Environment variables of a start. */
type Variables = Readonly<Record<string, string | undefined>>

/** Contract of a platform that runs containers behind a proxy of its own, which terminates TLS and connects to `$PORT`. */
interface Platform {
  /** Variables that the platform sets, and nothing else does; undefined: it has none, and must be named. */
  variables: readonly string[] | undefined
  /** Names and networks of its proxy. */
  proxies: readonly string[]
  /** Port that it connects to if `$PORT` is not set. */
  port?: number
  /** Time from its signal until it kills the container, in ms; undefined: that of `docker stop`. */
  graceMs?: (env: Variables) => number | undefined
  /** Whether its signal is SIGINT. */
  interrupts?: boolean
}

const linkLocal = '169.254.0.0/16'
const secondsIn = (text: string | undefined) =>
  text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) * 1000 : undefined

/** Sources: the documentation of each platform, read in November 2026. */
const platforms = {
  'app-runner': { variables: undefined, proxies: ['private', linkLocal] },
  azure: {
    variables: ['WEBSITE_SITE_NAME', 'WEBSITE_INSTANCE_ID'],
    proxies: ['private', linkLocal],
    graceMs: env => secondsIn(env.WEBSITES_CONTAINER_STOP_TIME_LIMIT) ?? 5000,
  },
  // its router connects from a private network, or the proxy beside the app from loopback
  'cloud-foundry': {
    variables: ['VCAP_APPLICATION', 'CF_INSTANCE_INDEX'],
    proxies: ['private', linkLocal],
    graceMs: () => 10_000,
  },
  'cloud-run': { variables: ['K_SERVICE', 'K_REVISION'], proxies: ['private', linkLocal], graceMs: () => 10_000 },
  digitalocean: { variables: undefined, proxies: ['private', 'cloudflare'], port: 8080 },
  fly: {
    variables: ['FLY_APP_NAME', 'FLY_MACHINE_ID'],
    proxies: ['private'],
    port: 8080,
    graceMs: () => 5000,
    interrupts: true,
  },
  heroku: { variables: ['DYNO'], proxies: ['private'], graceMs: () => 30_000 },
  railway: {
    variables: ['RAILWAY_PROJECT_ID', 'RAILWAY_SERVICE_ID'],
    proxies: ['private'],
    graceMs: env => secondsIn(env.RAILWAY_DEPLOYMENT_DRAINING_SECONDS),
  },
  render: { variables: ['RENDER', 'RENDER_SERVICE_ID'], proxies: ['private', 'cloudflare'], graceMs: () => 30_000 },
} as const satisfies Record<string, Platform>

/** Name of a platform. */
export type PlatformName = keyof typeof platforms

/** Names of all platforms. */
export const platformNames = Object.keys(platforms) as [PlatformName, ...PlatformName[]]

/** Time between the end of a stop and the moment at which the platform would kill the container; half of a shorter time than two of it. */
const spareMs = 1000

/** Platform by the variables that it sets; undefined if this is none that is known. */
export function recognisePlatform(env: Variables): PlatformName | undefined {
  return platformNames.find(name => {
    const { variables }: Platform = platforms[name]
    return variables?.every(variable => Boolean(env[variable]))
  })
}

/** Defaults on a platform, by key. None for an unknown name. A text in `$PORT` that is no number is for the schema to reject. */
export function platformDefaults(name: unknown, env: Variables): Record<string, unknown> {
  const known = platformNames.find(one => one === name)
  if (known === undefined) return {}
  const { proxies, port, graceMs }: Platform = platforms[known]
  const text = env.PORT?.trim()
  const given = !text ? port : /^\d+$/.test(text) ? Number(text) : text
  const limitMs = graceMs?.(env) ?? 0
  const stopMs = Math.max(limitMs - spareMs, limitMs / 2)
  return {
    platform: known,
    ...(given === undefined ? {} : { http_port: given }),
    https: 'off',
    trusted_proxies: [...proxies],
    log_format: 'json',
    ...(stopMs > 0 ? { stop_timeout: `${stopMs}ms` } : {}),
  }
}

/** Variables that the defaults on a platform come from, by key. */
export function platformVariables(name: unknown, env: Variables): Record<string, string> {
  return platformNames.some(one => one === name) && env.PORT?.trim() ? { http_port: 'PORT' } : {}
}

/** Whether a platform asks with SIGINT for a graceful stop. Elsewhere it is Ctrl-C. */
export function stopsOnInterrupt(name: PlatformName | 'none' | undefined): boolean {
  if (name === undefined || name === 'none') return false
  const { interrupts = false }: Platform = platforms[name]
  return interrupts
}
