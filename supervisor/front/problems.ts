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
  basic_auth: { file?: string | undefined; realm?: string | undefined }
}

export interface FrontProblem {
  path: string[]
  message: string
  params: { fix: string }
}

/** What is wrong with keys about the front that are well-formed one by one. */
export function describeFrontProblems(config: FrontConfig): FrontProblem[] {
  const problems: FrontProblem[] = []
  if (config.proxy_protocol && config.trusted_proxies.length === 0) {
    problems.push({
      path: ['proxy_protocol'],
      message: 'is of no use without trusted_proxies: anybody may write such a header',
      params: { fix: 'set trusted_proxies to the addresses of the balancers, such as [10.0.0.0/8]' },
    })
  }
  if (config.http3 && config.https === 'off') {
    problems.push({
      path: ['http3'],
      message: 'is of no use with https: off, since there is no HTTP/3 without TLS',
      params: { fix: 'leave http3 out, or set https to redirect or on' },
    })
  }
  if (config.http3 && config.proxy_protocol) {
    problems.push({
      path: ['http3'],
      message: 'does not go with proxy_protocol, which is for TCP',
      params: { fix: 'leave one of the two out' },
    })
  }
  const isNamed = config.server_names.length > 0 || config.routes?.some(({ host }) => host !== undefined)
  if (config.unknown_host !== 'serve' && !isNamed) {
    problems.push({
      path: ['unknown_host'],
      message: 'does not go without server_names: no host would be known',
      params: { fix: 'set server_names, or leave unknown_host out' },
    })
  }
  if (config.basic_auth.realm !== undefined && config.basic_auth.file === undefined) {
    problems.push({
      path: ['basic_auth', 'realm'],
      message: 'is of no use without basic_auth.file',
      params: { fix: 'set basic_auth.file to an htpasswd file, or leave basic_auth.realm out' },
    })
  }
  const isOpen = config.routes?.some(({ settings }) => settings?.basic_auth === 'off')
  if (config.cache && config.basic_auth.file !== undefined && !isOpen) {
    problems.push({
      path: ['cache'],
      message: 'is of no use behind basic_auth: a request with a password is never answered from it',
      params: { fix: 'leave one of the two out, or set basic_auth to off for a route' },
    })
  }
  for (const path of Object.keys(config.send_files)) {
    if (!config.routes?.some(route => `${route.path}/` === path)) continue
    problems.push({
      path: ['send_files', path],
      message: 'is the path of a route',
      params: { fix: 'take another path: it is a name between the app and nginx, which no client uses' },
    })
  }
  return problems
}
