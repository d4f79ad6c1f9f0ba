import { type DynamicRoute, readRoute } from '../route.ts'
import { readRouteHost } from '../route-host.ts'
import { readServerUrl, weighServers } from './servers.ts'

/** Routes in Traefik's layout. */
export interface TraefikRoutes {
  /** Routes by host. */
  routes: ReadonlyMap<string, DynamicRoute>
  /** Routers that are not used, with the reason. */
  ignored: ReadonlyMap<string, string>
}

interface Router {
  rule?: string
  service?: string
  /** Other settings of it. */
  others: Set<string>
}

interface Server {
  url?: string
  weight?: string
}

interface Service {
  servers: Map<string, Server>
  isSticky: boolean
}

/** Keys of a router that change nothing here: all hosts are served on all ports, with the certificates that this server has. */
const harmless = new Set(['entrypoints', 'tls', 'priority', 'observability', 'rulesyntax'])

/**
 * Routes from keys such as `http/routers/NAME/rule` with their values, without the root key. A router is used if its rule is only made of
 * `Host(…)`, and its service is a list of servers. One with a middleware is not: without it, it might show what it protects.
 */
export function readTraefikKeys(entries: ReadonlyMap<string, string>): TraefikRoutes {
  const { routers, services } = group(entries)
  const routes = new Map<string, DynamicRoute>()
  const ignored = new Map<string, string>()
  for (const [name, router] of [...routers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const hosts = readRule(router.rule ?? '')
    const problem = findRouterProblem(router, hosts)
    if (problem !== undefined) {
      ignored.set(name, problem)
      continue
    }
    const route = readService(services, router.service ?? '')
    if (typeof route === 'string') {
      ignored.set(name, route)
      continue
    }
    for (const host of hosts) {
      if (routes.has(host)) ignored.set(name, `has the host ${host}, which another router has`)
      else routes.set(host, route)
    }
  }
  return { routes, ignored }
}

function findRouterProblem({ rule, others }: Router, hosts: readonly string[]): string | undefined {
  if (rule === undefined) return 'has no rule'
  if (hosts.length === 0) return 'has a rule that is not only Host(`shop.example.com`), or several of them joined by ||'
  const other = [...others].find(key => !harmless.has(key))
  return other === undefined ? undefined : `has ${other}, which is not supported`
}

function group(entries: ReadonlyMap<string, string>) {
  const routers = new Map<string, Router>()
  const services = new Map<string, Service>()
  for (const [key, value] of entries) {
    // names keep their case in keys, which Traefik ignores
    const [protocol, kind, name = '', ...rest] = key.toLowerCase().split('/')
    if (protocol !== 'http' || name === '') continue
    if (kind === 'routers')
      addToRouter(
        entryOf(routers, name, () => ({ others: new Set() })),
        rest,
        value,
      )
    if (kind === 'services')
      addToService(
        entryOf(services, name, () => ({ servers: new Map(), isSticky: false })),
        rest,
        value,
      )
  }
  return { routers, services }
}

function addToRouter(router: Router, [key = '']: readonly string[], value: string): void {
  if (key === 'rule') router.rule = value
  else if (key === 'service') router.service = value.toLowerCase().replace(/@(redis|internal)$/, '')
  else router.others.add(key)
}

function addToService(service: Service, path: readonly string[], value: string): void {
  const [kind, key, index = '', leaf] = path
  if (kind !== 'loadbalancer') return
  if (key === 'sticky' && value !== 'false') service.isSticky = true
  if (key !== 'servers') return
  const server = entryOf<Server>(service.servers, index, () => ({}))
  if (leaf === 'url' || leaf === 'weight') server[leaf] = value
}

/** Route to a service, or what is wrong with it. */
function readService(services: ReadonlyMap<string, Service>, name: string): DynamicRoute | string {
  const service = services.get(name)
  if (!service || service.servers.size === 0) return `leads to the service ${name}, which has no servers`
  const servers: { server: string; weight: number }[] = []
  for (const { url = '', weight = '1' } of service.servers.values()) {
    const server = readServerUrl(url)
    if (!server.ok) return server.problem
    servers.push({ server: server.value, weight: /^\d{1,3}$/.test(weight) ? Number(weight) : 1 })
  }
  const targets = weighServers(servers.filter(({ weight }) => weight > 0))
  const route = readRoute(service.isSticky ? { targets, sticky: true } : { targets })
  return route.ok ? route.value : `leads to the service ${name}, which ${route.problem}`
}

/** Hosts of a rule; none if it has any other condition. */
function readRule(rule: string): string[] {
  const hosts: string[] = []
  for (const part of rule.split('||')) {
    const list = /^\s*\(?\s*Host\(\s*([^()]*)\)\s*\)?\s*$/i.exec(part)?.[1]
    if (list === undefined) return []
    for (const quoted of list.split(',')) {
      const host = readRouteHost(/^\s*[`"]([^`"]+)[`"]\s*$/.exec(quoted)?.[1] ?? '')
      if (!host.ok) return []
      hosts.push(host.value)
    }
  }
  return hosts
}

function entryOf<T>(map: Map<string, T>, key: string, create: () => T): T {
  const present = map.get(key)
  if (present !== undefined) return present
  const created = create()
  map.set(key, created)
  return created
}
