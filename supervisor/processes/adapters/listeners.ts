import { chmodSync, chownSync, existsSync, fstatSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { formatAddress, isIpv6 } from '../../base/address.ts'
import { errnoFix, OperatorError } from '../../base/errors.ts'
import type { BoundSocket, SlotSockets, UnixSocketOwner } from '../sockets.ts'
import { describePortOwner } from './procfs.ts'

/**
 * Handle of a socket that listens but never accepts here: clients wait in its queue from the start, and the process that inherits the
 * descriptor accepts them. Node's public API always accepts, so this module, and no other, uses `net._createServerHandle` and its handles
 * (in Node 20, 22, 24 and 26; a test pins it).
 */
interface SocketHandle {
  fd: number
  /** These methods return 0 or a negative errno. */
  open(descriptor: number): number
  listen(backlog: number): number
  readStart(): number
  readStop(): number
  /** Called with each result of reading; reading from a listening socket only fails, as soon as a connection waits. */
  onread?: () => void
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
/** The kernel limits it to net.core.somaxconn. If the queue of a unix socket is full, connecting fails at once. */
const backlog = 4096

/**
 * Calls listen(2) without accepting. Listening makes libuv watch the socket; stopping to read removes that same watch before the next turn
 * of the event loop. Only after opening the handle's own descriptor may it read. Returns 0 or a negative errno.
 */
function listenOnly(handle: SocketHandle): number {
  const errno = handle.open(handle.fd) || handle.listen(backlog)
  if (errno) return errno
  return handle.readStart() || handle.readStop()
}

/** Public TCP socket. */
export interface FrontSocket extends BoundSocket {
  address: string
  port: number
}

/**
 * Listens on a TCP port at one address; IPv6 addresses are IPv6-only. `port` 0 picks a free port. Returns undefined if this machine lacks
 * the address or its family. Throws an OperatorError if the port is taken or forbidden.
 */
export function bindFrontSocket(address: string, port: number): FrontSocket | undefined {
  const handle = isIpv6(address)
    ? createServerHandle(address, port, 6, undefined, ipv6Only)
    : createServerHandle(address, port, 4)
  if (typeof handle === 'number') {
    const reason = getSystemErrorName(handle)
    if (reason === 'EAFNOSUPPORT' || reason === 'EADDRNOTAVAIL') return undefined
    throw listenError(address, port, reason)
  }
  const bound: { port?: number } = {}
  handle.getsockname?.(bound)
  if (!bound.port) {
    // libuv reports "address in use" only on listen; a socket without a port is not bound
    handle.close()
    throw listenError(address, port, 'EADDRINUSE')
  }
  const refused = listenOnly(handle)
  if (refused) {
    handle.close()
    throw listenError(address, port, getSystemErrorName(refused))
  }
  return {
    address,
    port: bound.port,
    descriptor: handle.fd,
    inode: fstatSync(handle.fd).ino,
    close: () => handle.close(),
  }
}

function listenError(address: string, port: number, reason: string): OperatorError {
  const where = formatAddress(address, port)
  if (reason === 'EADDRINUSE') {
    const owner = describePortOwner(port)
    return new OperatorError(`cannot listen on ${where}: the port is taken${owner ? ` by ${owner}` : ''}`, {
      fix: `stop ${owner ?? 'the program that listens there'}, or choose another port (http_port, https_port, health.port)`,
    })
  }
  if (reason === 'EACCES') {
    return new OperatorError(`cannot listen on ${where}: permission denied`, {
      fix: 'choose ports from 1024 up (MONOHULL_HTTP_PORT=8080, MONOHULL_HTTPS_PORT=8443), or grant CAP_NET_BIND_SERVICE',
    })
  }
  return new OperatorError(`cannot listen on ${where}: ${reason}`, {
    fix: errnoFix(reason) ?? 'check bind_addresses, http_port, https_port and health.port',
  })
}

function bindRefusal(path: string, refused: number): OperatorError {
  const reason = getSystemErrorName(refused)
  return new OperatorError(`cannot bind the worker socket ${path}: ${reason}`, {
    fix: errnoFix(reason) ?? 'set run_dir to a writable directory with a path of at most 80 characters',
  })
}

/** Handle that reads from a descriptor of another one, which closes it. Its class was made for a socket that listens already. */
function openBell(descriptor: number): SocketHandle {
  const handle = createServerHandle('', 0, -1, descriptor)
  if (typeof handle === 'number') throw watchError(handle)
  return handle
}

function watchError(refused: number): OperatorError {
  const reason = getSystemErrorName(refused)
  return new OperatorError(`cannot watch a worker socket: ${reason}`, {
    fix: errnoFix(reason) ?? 'set workers.min to 1, and report this as a fault of monohull',
  })
}

/** Sockets of worker slots that belong to `owner`, so that nginx can connect. */
export function createSlotSockets(owner: UnixSocketOwner): SlotSockets {
  /** By descriptor. They are never closed, which would close the descriptor twice, but serve the next socket with the same number. */
  const bells = new Map<number, SocketHandle>()

  return {
    bind(path) {
      rmSync(path, { force: true })
      const handle = createServerHandle(path, -1, -1)
      if (typeof handle === 'number') throw bindRefusal(path, handle)
      try {
        const refused = listenOnly(handle)
        if (refused) throw bindRefusal(path, refused)
        chmodSync(path, 0o660)
        if (owner.gid !== undefined) chownSync(path, owner.uid ?? process.getuid?.() ?? 0, owner.gid)
        return { descriptor: handle.fd, inode: fstatSync(handle.fd).ino, close: () => handle.close() }
      } catch (error) {
        handle.close()
        throw error
      }
    },
    watch({ descriptor }, onWaiting) {
      const bell = bells.get(descriptor) ?? openBell(descriptor)
      bells.set(descriptor, bell)
      let isOver = false
      bell.onread = () => {
        bell.readStop()
        // libuv ends the present reading after this callback, and one that begins in it with it
        setImmediate(() => !isOver && onWaiting())
      }
      // opening it again lets it read after the failure of the last time
      const refused = bell.open(descriptor) || bell.readStart()
      if (refused) throw watchError(refused)
      return () => {
        if (isOver) return
        isOver = true
        bell.readStop()
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
