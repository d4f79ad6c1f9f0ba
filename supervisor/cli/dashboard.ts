import { exitCode } from '../base/errors.ts'
import { isLoopback } from '../base/loopback.ts'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import type { AdminStatus, Status } from '../run/status.ts'
import { socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'

const usualPort = 9114

/** Facts about how the status page can be reached. */
export interface PageAccess {
  /** Undefined if `admin.port` is not set. */
  admin: AdminStatus | undefined
  /** Path of the admin socket, which serves the page too. */
  socket: string
  isImage: boolean
}

/** Prints the address of the status page, and how to reach it from elsewhere. */
export async function dashboard(commandLine: CommandLine, world: World, isJson: boolean): Promise<number> {
  const socket = await socketOf(commandLine, world)
  const { body } = await askAdmin(socket, { method: 'GET', path: '/status' })
  const { admin } = body as Status
  const text = isJson
    ? toJson({ url: admin && `http://${admin.address}/`, ...admin, socket })
    : describeAccess({ admin, socket, isImage: world.env.MONOHULL_IMAGE === '1' })
  process.stdout.write(text)
  return exitCode.ok
}

/** Lines about the ways to the status page. */
export function describeAccess({ admin, socket, isImage }: PageAccess): string {
  if (!admin) return describeSocket(socket, isImage)
  const { port, hostname } = new URL(`http://${admin.address}/`)
  const isLocal = isLoopback(hostname.replace(/^\[|\]$/g, ''))
  const docker = `docker run -p 127.0.0.1:${port}:${port}`
  return lines([
    ['status page', `http://${isLocal ? admin.address : `localhost:${port}`}/`],
    ['token', admin.requiresToken ? 'the page asks for that of admin.token' : 'none is set'],
    ['changes', admin.actions ? 'allowed (admin.actions)' : 'read-only; admin.actions: true with a token adds buttons'],
    [
      'in Docker',
      isLocal
        ? `set admin.bind to 0.0.0.0 and a token (MONOHULL_ADMIN_TOKEN_FILE), then ${docker}`
        : `${docker}, then http://localhost:${port}/`,
    ],
    ['in Kubernetes', `kubectl port-forward POD ${port}, then http://localhost:${port}/`],
    ['over SSH', `ssh -L ${port}:${isLocal ? hostname : '127.0.0.1'}:${port} SERVER, then http://localhost:${port}/`],
    ['in a terminal', `${isImage ? 'docker exec NAME ' : ''}monohull status`],
  ])
}

function describeSocket(socket: string, isImage: boolean): string {
  const forwarded = `ssh -L ${usualPort}:${socket} ${process.geteuid?.() === 0 ? 'root@' : ''}SERVER, then http://localhost:${usualPort}/`
  return lines([
    ['status page', 'on no port, because admin.port is not set'],
    ...(isImage ? [] : [['over SSH', forwarded] as const]),
    ['on a port', `admin: { port: ${usualPort} } in the configuration, and a restart or reload`],
    ['in Docker', `in addition bind: 0.0.0.0 and a token there, and docker run -p 127.0.0.1:${usualPort}:${usualPort}`],
    ['in a terminal', `${isImage ? 'docker exec NAME ' : ''}monohull status`],
  ])
}

function lines(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, text]) => `${`${name}:`.padEnd(width)}${text}\n`).join('')
}
