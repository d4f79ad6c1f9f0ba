import { formatAddress } from '../base/address.ts'
import { OperatorError } from '../base/errors.ts'
import { bindFrontSocket, type FrontSocket } from '../processes/adapters/listeners.ts'

/** Keys of the public sockets. */
export interface FrontKeys {
  bind_addresses?: readonly string[] | undefined
  http_port: number
  https_port: number
  https: 'redirect' | 'on' | 'off'
}

/** The public sockets: bound here, listened on by nginx. */
export interface Front {
  http: FrontSocket[]
  https: FrontSocket[]
}

const everywhere = ['0.0.0.0', '::']

/** The public sockets as a part of a run. Their keys cannot change without a restart. */
export interface OpenFront extends Front {
  readonly name: string
  model(): Front
  status(): { http: string[]; https: string[] }
  close(): void
}

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

/** Binds every public port at every address. An OperatorError when one is taken or forbidden; then none stays bound. */
export function bindFront(config: FrontKeys): Front {
  const front: Front = { http: [], https: [] }
  try {
    front.http = bindAll(config.bind_addresses, config.http_port)
    if (config.https !== 'off') front.https = bindAll(config.bind_addresses, config.https_port)
    return front
  } catch (error) {
    closeFront(front)
    throw error
  }
}

export function closeFront({ http, https }: Front): void {
  for (const socket of [...http, ...https]) socket.close()
}

function bindAll(addresses: readonly string[] | undefined, port: number): FrontSocket[] {
  const bound: FrontSocket[] = []
  try {
    for (const address of addresses ?? everywhere) {
      // the first one settles which free port it is
      const socket = bindFrontSocket(address, bound[0]?.port ?? port)
      if (socket) bound.push(socket)
      else if (addresses)
        throw new OperatorError(`cannot listen on ${address}: this machine has no such address`, {
          fix: 'mend bind_addresses',
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

/** Where a socket bound to an address is reached from the same machine. */
export function reachableHost(address: string | undefined): string {
  if (address === undefined || address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

/** `127.0.0.1:80`, `[::]:80` */
export function describeSockets(sockets: readonly { address: string; port: number }[]): string[] {
  return sockets.map(({ address, port }) => formatAddress(address, port))
}
