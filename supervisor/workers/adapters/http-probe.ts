import net from 'node:net'
import type { WorkerAddress } from '../address.ts'
import type { WorkerProbe } from '../readiness.ts'

const headers = 'Host: localhost\r\nUser-Agent: monohull\r\nConnection: close\r\n\r\n'

/** Probe of a worker's own socket, past nginx. Any response counts, whatever its status: a program accepted and read. */
export const httpProbe: WorkerProbe = {
  responds: (address, timeoutMs) => send(address, 'OPTIONS *', timeoutMs),
  respondsToGet: (address, path, timeoutMs) => send(address, `GET ${path}`, timeoutMs),
}

function send(address: WorkerAddress, request: string, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(toOptions(address))
    const finish = (responded: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(responded)
    }
    const timer = setTimeout(finish, timeoutMs, false)
    socket.once('connect', () => socket.write(`${request} HTTP/1.1\r\n${headers}`))
    socket.once('data', () => finish(true))
    socket.once('close', () => finish(false))
    socket.once('error', () => finish(false))
  })
}

function toOptions(address: WorkerAddress): net.NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: '127.0.0.1', port: address.port }
}
