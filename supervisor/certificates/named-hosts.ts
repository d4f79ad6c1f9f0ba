import { isNumeric } from '../base/host-name.ts'

/** What certificates are for where nothing else is said: every host that is named, but for wildcards and addresses. */
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
