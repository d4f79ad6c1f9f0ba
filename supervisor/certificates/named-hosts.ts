import { isNumeric } from '../base/host-name.ts'

/** Default names for certificates: every host in `server_names` and routes, without wildcards and addresses. */
export function namedHosts({
  server_names,
  routes = [],
}: {
  server_names: readonly string[]
  routes?: readonly { host?: string | undefined }[] | undefined
}): string[] {
  const hosts = [...server_names, ...routes.flatMap(({ host }) => host ?? [])]
  return [...new Set(hosts.map(host => host.toLowerCase()))].filter(host => !host.startsWith('*.') && !isNumeric(host))
}
