import { isOfThisMachine } from '../base/adapters/own-addresses.ts'
import { postText } from '../base/adapters/unix-http.ts'
import type { Change } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Runtime } from '../base/runtime.ts'
import { createSlotSockets } from '../processes/adapters/listeners.ts'
import type { BoundSocket } from '../processes/sockets.ts'
import { mayBeTarget } from '../routes/upstream-targets.ts'
import { serveDynamicRoutes } from './adapters/server.ts'
import type { RouteContext } from './context.ts'
import { prepareFileStore } from './file-opening.ts'
import { startHeartbeat } from './heartbeat.ts'
import { formatChanges, type UnknownRoute } from './hosts.ts'
import type { RouteOperations } from './operations.ts'
import { dynamicRouteSockets, dynamicRoutesFile } from './paths.ts'
import { withoutDynamicRoutes } from './reading.ts'
import { createDynamicRoutes, type DynamicRoutes } from './service.ts'
import type { RouteStoreStatus } from './store.ts'
import { routeStoreMetrics } from './store.ts'
import type { StoreKeys, StoreOpening } from './store-opening.ts'

/** Settings that dynamic routes depend on. */
export interface DynamicRoutesSettings {
  config: {
    state_dir: string
    run_dir: string
    server_names: readonly string[]
    routes: readonly { host?: string | undefined }[]
    upstreams: Readonly<Record<string, unknown>>
    dynamic_routes?: (StoreKeys & { allow?: readonly string[] | undefined; unknown: UnknownRoute }) | undefined
  }
  apps: readonly { name: string; plan: { app: string } | undefined }[]
  nginxUser: { gid: number } | undefined
}

/** Dependencies of the dynamic routes of a run. */
export interface DynamicRoutesDeps extends Runtime {
  /** The settings in force. */
  settings(): DynamicRoutesSettings
  /** Ports that this server listens on. */
  ownPorts: ReadonlySet<number>
  /** Makes nginx workers quit that changes cannot reach. */
  retireOrphans(): Promise<void>
}

/** Dynamic routes of a run. */
export interface OpenDynamicRoutes extends Pick<DynamicRoutes, 'find' | keyof RouteOperations> {
  readonly name: string
  /** Socket on which nginx receives changes. nginx inherits it, so a killed master leaves none behind. */
  readonly changesSocket: BoundSocket
  fixed(next: DynamicRoutesSettings): string | undefined
  prepare(): Promise<Change>
  status(): { dynamicRoutes: RouteStoreStatus }
  metrics(): Metric[]
  close(): Promise<void>
}

/** Reads the routes, and starts the lookup server before nginx starts. */
export async function openDynamicRoutes(deps: DynamicRoutesDeps): Promise<OpenDynamicRoutes> {
  const { clock, log, settings } = deps
  const { config, nginxUser } = settings()
  const sockets = dynamicRouteSockets(config)
  const opening = await prepareStore(deps)
  const routes = createDynamicRoutes({
    clock,
    log,
    openStore: opening.open,
    context: () => contextOf(settings(), deps.ownPorts),
    async push(message) {
      // they have a cache of their own, and might receive the message in place of the new workers
      await deps.retireOrphans()
      for (const text of formatChanges(message)) await postText(sockets.changesSocket, text)
    },
  })
  const report = async () => {
    if (opening.isInMemory) await routes.report()
  }
  await report()
  const changesSocket = createSlotSockets({ uid: undefined, gid: nginxUser?.gid }).bind(sockets.changesSocket)
  const server = await serveDynamicRoutes({ path: sockets.lookupSocket, gid: nginxUser?.gid }, routes.find)
  const heartbeat = startHeartbeat({ clock, log, beat: routes.confirm })
  const watch = opening.follow(report)
  return {
    name: 'dynamic routes',
    changesSocket,
    ...routes,
    fixed: next =>
      next.config.state_dir === config.state_dir || config.dynamic_routes?.store !== 'file'
        ? undefined
        : 'state_dir cannot change without a restart while it contains the dynamic routes',
    // what routes lead to depends on the settings in force
    prepare: async () => ({
      async commit() {
        await routes.adopt()
        await report()
      },
    }),
    status: () => ({ dynamicRoutes: routes.status() }),
    metrics: () => routeStoreMetrics(routes.status()),
    async close() {
      await Promise.all([watch.close(), heartbeat.close(), server.close()])
      changesSocket.close()
    },
  }
}

async function prepareStore(deps: DynamicRoutesDeps): Promise<StoreOpening> {
  const { config } = deps.settings()
  const keys = config.dynamic_routes
  if (!keys || keys.store === 'file') return prepareFileStore(dynamicRoutesFile(config), deps)
  // the client is large, and the file needs none of it
  return (await import('./redis/open.ts')).prepareRedisStore(keys, deps)
}

/** Change that an operator orders. */
export type RouteCommand =
  | { type: 'setRoute'; host: string; target: string }
  | { type: 'removeRoute'; host: string }
  | { type: 'importRoutes'; text: string }

/** Runs a command of the command line or the admin API. */
export async function changeRoute(routes: OpenDynamicRoutes | undefined, command: RouteCommand): Promise<Outcome> {
  if (!routes) return { ok: false, message: 'cannot change routes', reason: withoutDynamicRoutes }
  if (command.type === 'importRoutes') return routes.importText(command.text)
  return command.type === 'setRoute' ? routes.set(command.host, command.target) : routes.remove(command.host)
}

function contextOf({ config, apps }: DynamicRoutesSettings, ports: ReadonlySet<number>): RouteContext {
  return {
    namedHosts: [
      ...config.server_names.map(name => name.toLowerCase()),
      ...config.routes.flatMap(({ host }) => host ?? []),
    ],
    apps: apps.flatMap(({ plan }) => plan?.app ?? []),
    staticApps: apps.flatMap(({ name, plan }) => (plan ? [] : [name])),
    upstreams: Object.keys(config.upstreams).filter(name => mayBeTarget({ name })),
    networks: config.dynamic_routes?.allow,
    isOwn: (address, port) => ports.has(port) && isOfThisMachine(address),
  }
}
