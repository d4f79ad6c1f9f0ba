import net from 'node:net'
import { errnoOf } from '../../base/errors.ts'
import type { SocketProbe } from '../checks.ts'

/** Longest status line that is read. */
const maxHeadBytes = 1024

/** Probe of sockets, without a module for HTTP. */
export const socketProbe: SocketProbe = {
  connects: (target, timeoutMs) => talk(target, { timeoutMs }),
  respondsToGet(url, timeoutMs) {
    const { hostname, host, port, pathname, search } = new URL(url)
    const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }
    const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: monohull\r\nAccept: */*\r\nConnection: close\r\n\r\n`
    return talk(target, { timeoutMs, request, onHead: judgeHead })
  },
}

interface Talk {
  timeoutMs: number
  request?: string
  onHead?: (head: string) => string | undefined
}

/** Undefined: passed. A problem otherwise. Missing descriptors of this process say nothing about the program, so they pass. */
function talk(target: net.NetConnectOpts, { timeoutMs, request, onHead }: Talk): Promise<string | undefined> {
  return new Promise(resolve => {
    let head = ''
    const socket = net.connect(target)
    const finish = (problem: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    const timer = setTimeout(finish, timeoutMs, `no response within ${timeoutMs} ms`)
    socket.once('connect', () => {
      if (request === undefined) finish(undefined)
      else socket.write(request)
    })
    socket.on('data', chunk => {
      head += chunk.toString('latin1')
      if (head.includes('\n') || head.length > maxHeadBytes) finish(onHead?.(head))
    })
    socket.once('close', () => finish('the connection was closed without a response'))
    socket.once('error', error => {
      const errno = errnoOf(error)
      finish(errno === 'EMFILE' || errno === 'ENFILE' ? undefined : (errno ?? error.message))
    })
  })
}

function judgeHead(head: string): string | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]
  if (status === undefined) return 'the response is not HTTP'
  return Number(status) >= 200 && Number(status) < 400 ? undefined : `status ${status}`
}
