import { networkInterfaces } from 'node:os'
import { signFile } from '../adapters/folder-signature.ts'
import { createSlotSockets } from '../adapters/listeners.ts'
import { openRouteFile } from '../adapters/route-file.ts'
import { postText } from '../adapters/unix-post.ts'
import { serveDynamicRoutes } from '../admin/dynamic-routes.ts'
import { systemClock } from '../base/clock.ts'
import type { Outcome } from '../domain/command.ts'
import { withoutDynamicRoutes } from '../domain/dynamic-route.ts'
import { formatChanges } from '../domain/nginx-dynamic-hosts.ts'
import type { RouteSurroundings } from '../domain/route-surroundings.ts'
import { createDynamicRoutes } from '../services/dynamic-routes.ts'
import { createFileRoutes, type FileRoutes } from '../services/file-routes.ts'
import { watchFolder } from '../services/folder-watch.ts'
import { dynamicRoutesFile, dynamicRoutesPlace, type OpenDynamicRoutes } from './dynamic-place.ts'
import type { Parts } from './parts.ts'

const everyMs = 1000

/** Reads the routes, and answers nginx before it asks for the first time. Undefined unless dynamic_routes is set. */
export async function openDynamicRoutes(parts: Parts): Promise<OpenDynamicRoutes | undefined> {
  const { log, settings } = parts
  const { config, nginxUser } = settings
  const place = dynamicRoutesPlace(config)
  if (!place) return undefined
  const path = dynamicRoutesFile(config)
  const known = await signFile(path)
  let store: FileRoutes | undefined
  const routes = createDynamicRoutes({
    clock: systemClock,
    log,
    openStore(hear) {
      store = createFileRoutes({ file: openRouteFile(path), log, hear })
      return store
    },
    surroundings: () => surroundingsOf(parts),
    async push(version, changes) {
      // they have answers of their own, and nobody could tell who takes a message
      await parts.nginx?.retireOrphans()
      for (const text of formatChanges(version, changes)) await postText(place.tellSocket, text)
    },
  })
  await routes.report()
  const tellSocket = createSlotSockets({ uid: undefined, gid: nginxUser?.gid }).bind(place.tellSocket)
  const server = await serveDynamicRoutes({ path: place.askSocket, gid: nginxUser?.gid }, routes.find)
  const watch = watchFolder({
    clock: systemClock,
    log,
    what: 'dynamic routes',
    everyMs,
    known,
    sign: () => signFile(path),
    async onRest() {
      await store?.refresh()
      await routes.report()
    },
  })
  return {
    ...routes,
    tellSocket,
    async close() {
      await Promise.all([watch.close(), server.close()])
      tellSocket.close()
    },
  }
}

/** Does what the command line or the admin API asks for. */
export async function changeRoute(
  { dynamicRoutes }: Parts,
  command: { type: 'setRoute'; host: string; target: string } | { type: 'removeRoute'; host: string },
): Promise<Outcome> {
  if (!dynamicRoutes) return { ok: false, message: 'cannot change routes', reason: withoutDynamicRoutes }
  return command.type === 'setRoute'
    ? dynamicRoutes.set(command.host, command.target)
    : dynamicRoutes.remove(command.host)
}

function surroundingsOf({ settings, front }: Parts): RouteSurroundings {
  const { config, apps } = settings
  const ports = new Set([...front.http, ...front.https].map(({ port }) => port))
  return {
    namedHosts: [
      ...config.server_names.map(name => name.toLowerCase()),
      ...config.routes.flatMap(({ host }) => host ?? []),
    ],
    apps: apps.flatMap(({ plan }) => plan?.app ?? []),
    folders: apps.flatMap(({ name, plan }) => (plan ? [] : [name])),
    upstreams: Object.keys(config.upstreams),
    isOwn: (address, port) => ports.has(port) && isOfThisMachine(address),
  }
}

function isOfThisMachine(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap(all => (all ?? []).map(one => one.address))
  return address.startsWith('127.') || own.includes(address)
}
