import { chmodSync, chownSync, existsSync, fstatSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { OperatorError } from '../base/errors.ts'
import type { BoundSocket, SlotSockets, UnixSocketOwner } from '../domain/ports.ts'
import { describePortOwner } from './procfs.ts'

/**
 * Sockets that are bound and never listened on or accepted from here: whoever inherits the descriptor listens.
 * The public API of Node binds and listens in one step, which would make the supervisor accept connections, so this
 * module, and no other, uses `net._createServerHandle` (there in Node 20, 22, 24 and 26; a test pins it).
 */
interface BoundHandle {
  fd: number
  getsockname?(out: { port?: number }): number
  close(): void
}

type CreateServerHandle = (
  address: string,
  port: number,
  type: number,
  fd?: number,
  flags?: number,
) => BoundHandle | number

const createServerHandle = (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle
const ipv6Only = 1

export interface FrontSocket extends BoundSocket {
  address: string
  port: number
}

/**
 * Binds a TCP port at one address (IPv6 ones for IPv6 only). `port` 0 takes a free one.
 * Undefined when the kernel has no such address family or address; an OperatorError when it is taken or forbidden.
 */
export function bindFrontSocket(address: string, port: number): FrontSocket | undefined {
  const isIpv6 = net.isIPv6(address)
  const handle = isIpv6
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
  return {
    address,
    port: bound.port,
    descriptor: handle.fd,
    inode: fstatSync(handle.fd).ino,
    close: () => handle.close(),
  }
}

function refusal(address: string, port: number, reason: string): OperatorError {
  const where = net.isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
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

/** Binds the unix sockets of worker slots, and hands them to the users who may connect. */
export function createSlotSockets(owner: UnixSocketOwner): SlotSockets {
  return {
    bind(path) {
      rmSync(path, { force: true })
      const handle = createServerHandle(path, -1, -1)
      if (typeof handle === 'number') {
        throw new OperatorError(`cannot bind the worker socket ${path}: ${getSystemErrorName(handle)}`, {
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
