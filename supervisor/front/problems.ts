import type { z } from 'zod'
import type { trustKeys } from './trust-keys.ts'

type FrontConfig = z.output<z.ZodObject<typeof trustKeys>> & {
  http3: boolean
  https: 'redirect' | 'on' | 'off'
  server_names: string[]
  routes?: { host?: string | undefined; path: string; settings?: { basic_auth?: unknown } }[] | undefined
  cache?: unknown
  send_files: Record<string, string>
  unknown_host: string
  basic_auth: { file?: string | undefined; realm?: string | undefined; forward: boolean }
}

/** Problem with a key of the front. */
export interface FrontProblem {
  path: string[]
  message: string
  params: { fix: string }
}

/** Problems of valid keys of the front that cannot be combined. */
export function describeFrontProblems(config: FrontConfig): FrontProblem[] {
  const problems: FrontProblem[] = []
  if (config.proxy_protocol && config.trusted_proxies.length === 0) {
    problems.push({
      path: ['proxy_protocol'],
      message: 'has no effect without trusted_proxies: anyone could send such a header',
      params: { fix: 'set trusted_proxies to the addresses of the balancers, such as [10.0.0.0/8]' },
    })
  }
  if (config.http3 && config.https === 'off') {
    problems.push({
      path: ['http3'],
      message: 'has no effect with https: off, because HTTP/3 requires TLS',
      params: { fix: 'remove http3, or set https to redirect or on' },
    })
  }
  if (config.http3 && config.proxy_protocol) {
    problems.push({
      path: ['http3'],
      message: 'cannot be combined with proxy_protocol, which is for TCP',
      params: { fix: 'remove one of the two' },
    })
  }
  const isNamed = config.server_names.length > 0 || config.routes?.some(({ host }) => host !== undefined)
  if (config.unknown_host !== 'serve' && !isNamed) {
    problems.push({
      path: ['unknown_host'],
      message: 'requires server_names: otherwise no host is known',
      params: { fix: 'set server_names, or remove unknown_host' },
    })
  }
  const { file, realm, forward } = config.basic_auth
  for (const key of [...(realm === undefined ? [] : ['realm']), ...(forward ? ['forward'] : [])]) {
    if (file !== undefined) continue
    problems.push({
      path: ['basic_auth', key],
      message: 'has no effect without basic_auth.file',
      params: { fix: `set basic_auth.file to an htpasswd file, or remove basic_auth.${key}` },
    })
  }
  const isOpen = config.routes?.some(({ settings }) => settings?.basic_auth === 'off')
  if (config.cache && config.basic_auth.file !== undefined && !isOpen) {
    problems.push({
      path: ['cache'],
      message: 'has no effect behind basic_auth: requests with a password are never served from the cache',
      params: { fix: 'remove one of the two, or set basic_auth to off for a route' },
    })
  }
  for (const path of Object.keys(config.send_files)) {
    if (!config.routes?.some(route => `${route.path}/` === path)) continue
    problems.push({
      path: ['send_files', path],
      message: 'is the path of a route',
      params: { fix: 'use another path: only the app and nginx use it, never clients' },
    })
  }
  return problems
}
