import { chmodSync, chownSync, existsSync, fstatSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { formatAddress, isIpv6 } from '../../base/address.ts'
import { OperatorError } from '../../base/errors.ts'
import type { BoundSocket, SlotSockets, UnixSocketOwner } from '../sockets.ts'
import { describePortOwner } from './procfs.ts'

/**
 * Sockets that are bound and listened on here, so that who connects waits in their queue from the first moment on, and
 * never accepted from here: that is for whoever inherits the descriptor. The public API of Node accepts what it listens
 * on, so this module, and no other, uses `net._createServerHandle` and the handles it makes (there in Node 20, 22, 24
 * and 26; a test pins it).
 */
interface SocketHandle {
  fd: number
  /** These return 0, or a negative errno. */
  open(descriptor: number): number
  listen(backlog: number): number
  readStart(): number
  readStop(): number
  getsockname?(out: { port?: number }): number
  close(): void
}

type CreateServerHandle = (
  address: string,
  port: number,
  type: number,
  fd?: number,
  flags?: number,
) => SocketHandle | number

const createServerHandle = (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle
const ipv6Only = 1
/** The kernel cuts it to net.core.somaxconn. A full queue makes connecting to a unix socket fail at once. */
const backlog = 4096

/**
 * listen(2) without an accept: listening makes libuv watch the socket, and stopping to read, which it takes for the same
 * watch, ends that before the event loop turns. Opening the handle's own descriptor is what allows it to read.
 * Returns 0, or a negative errno.
 */
function listenOnly(handle: SocketHandle): number {
  const refused = handle.open(handle.fd) || handle.listen(backlog)
  if (refused) return refused
  return handle.readStart() || handle.readStop()
}

export interface FrontSocket extends BoundSocket {
  address: string
  port: number
}

/**
 * Listens on a TCP port at one address (IPv6 ones for IPv6 only). `port` 0 takes a free one.
 * Undefined when the kernel has no such address family or address; an OperatorError when it is taken or forbidden.
 */
export function bindFrontSocket(address: string, port: number): FrontSocket | undefined {
  const handle = isIpv6(address)
    ? createServerHandle(address, port, 6, undefined, ipv6Only)
    : createServerHandle(address, port, 4)
  if (typeof handle === 'number') {
    const reason = getSystemErrorName(handle)
    if (reason === 'EAFNOSUPPORT' || reason === 'EADDRNOTAVAIL') return undefined
    throw refusal(address, port, reason)
  }
  const bound: { port?: number } = {}
  handle.getsockname?.(bound)
  if (!bound.port) {
    // libuv reports "address in use" only when it listens; a socket without a port was not bound
    handle.close()
    throw refusal(address, port, 'EADDRINUSE')
  }
  const refused = listenOnly(handle)
  if (refused) {
    handle.close()
    throw refusal(address, port, getSystemErrorName(refused))
  }
  return {
    address,
    port: bound.port,
    descriptor: handle.fd,
    inode: fstatSync(handle.fd).ino,
    close: () => handle.close(),
  }
}

function refusal(address: string, port: number, reason: string): OperatorError {
  const where = formatAddress(address, port)
  if (reason === 'EADDRINUSE') {
    const owner = describePortOwner(port)
    return new OperatorError(`cannot listen on ${where}: the port is taken${owner ? ` by ${owner}` : ''}`, {
      fix: `stop ${owner ?? 'what listens there'}, or choose another port with http_port / https_port`,
    })
  }
  if (reason === 'EACCES') {
    return new OperatorError(`cannot listen on ${where}: permission denied`, {
      fix: 'choose ports from 1024 up (MONOHULL_HTTP_PORT=8080, MONOHULL_HTTPS_PORT=8443), or grant CAP_NET_BIND_SERVICE',
    })
  }
  return new OperatorError(`cannot listen on ${where}: ${reason}`, {
    fix: 'check bind_addresses, http_port and https_port',
  })
}

/** Listens on the unix sockets of worker slots, and hands them to the users who may connect. */
export function createSlotSockets(owner: UnixSocketOwner): SlotSockets {
  return {
    bind(path) {
      rmSync(path, { force: true })
      const handle = createServerHandle(path, -1, -1)
      const refused = typeof handle === 'number' ? handle : listenOnly(handle)
      if (typeof handle === 'number' || refused) {
        throw new OperatorError(`cannot bind the worker socket ${path}: ${getSystemErrorName(refused)}`, {
          fix: 'make run_dir a writable folder with a path of at most 80 characters',
        })
      }
      chmodSync(path, 0o660)
      if (owner.gid !== undefined) chownSync(path, owner.uid ?? process.getuid?.() ?? 0, owner.gid)
      return {
        descriptor: handle.fd,
        inode: fstatSync(handle.fd).ino,
        close: () => handle.close(),
      }
    },
    isThere: existsSync,
    point(link, path) {
      const next = `${link}.next`
      rmSync(next, { force: true })
      symlinkSync(path, next)
      renameSync(next, link)
    },
    freePort() {
      const socket = bindFrontSocket('127.0.0.1', 0)
      if (!socket)
        throw new OperatorError('cannot find a free port on 127.0.0.1', {
          fix: 'give the container a loopback interface',
        })
      socket.close()
      return socket.port
    },
  }
}
