import { formatAddress } from '../base/address.ts'
import { OperatorError } from '../base/errors.ts'
import { bindFrontSocket, type FrontSocket } from '../processes/adapters/listeners.ts'

/** Keys of the public sockets. */
export interface FrontKeys {
  bind_addresses?: readonly string[] | undefined
  http_port: number
  https_port: number
  https: 'redirect' | 'on' | 'off'
  health: { port?: number | undefined }
}

/** Public sockets, bound here and used by nginx. */
export interface Front {
  http: FrontSocket[]
  https: FrontSocket[]
  /** Sockets for health checks alone. */
  healthPorts: FrontSocket[]
}

const everywhere = ['0.0.0.0', '::']

/** Public sockets as a subject of a run. Their keys can only change with a restart. */
export interface OpenFront extends Front {
  readonly name: string
  model(): Front
  status(): { http: string[]; https: string[] }
  close(): void
}

/** Binds the public sockets of a run. */
export function openFront(config: FrontKeys): OpenFront {
  const front = bindFront(config)
  return {
    ...front,
    name: 'front',
    model: () => front,
    status: () => ({ http: describeSockets(front.http), https: describeSockets(front.https) }),
    close: () => closeFront(front),
  }
}

/** Binds every public port at every address. Throws an OperatorError if one is taken or forbidden; then none stays bound. */
export function bindFront(config: FrontKeys): Front {
  const front: Front = { http: [], https: [], healthPorts: [] }
  try {
    front.http = bindAll(config.bind_addresses, config.http_port)
    if (config.https !== 'off') front.https = bindAll(config.bind_addresses, config.https_port)
    if (config.health.port !== undefined) front.healthPorts = bindAll(config.bind_addresses, config.health.port)
    return front
  } catch (error) {
    closeFront(front)
    throw error
  }
}

/** Closes the public sockets. */
export function closeFront({ http, https, healthPorts }: Front): void {
  for (const socket of [...http, ...https, ...healthPorts]) socket.close()
}

function bindAll(addresses: readonly string[] | undefined, port: number): FrontSocket[] {
  const bound: FrontSocket[] = []
  try {
    for (const address of addresses ?? everywhere) {
      // for port 0, the first socket determines the port of the others
      const socket = bindFrontSocket(address, bound[0]?.port ?? port)
      if (socket) bound.push(socket)
      else if (addresses)
        throw new OperatorError(`cannot listen on ${address}: this machine has no such address`, {
          fix: 'fix bind_addresses',
        })
    }
  } catch (error) {
    for (const socket of bound) socket.close()
    throw error
  }
  if (bound.length === 0)
    throw new OperatorError('cannot listen: this machine has neither IPv4 nor IPv6', { fix: 'set bind_addresses' })
  return bound
}

/** Host at which this machine reaches a socket that is bound to an address. */
export function reachableHost(address: string | undefined): string {
  if (address === undefined || address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

/** Addresses of sockets: `127.0.0.1:80`, `[::]:80`. */
export function describeSockets(sockets: readonly { address: string; port: number }[]): string[] {
  return sockets.map(({ address, port }) => formatAddress(address, port))
}
