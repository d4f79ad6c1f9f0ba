import net from 'node:net'
import { errnoOf } from '../../base/errors.ts'
import type { WorkerAddress } from '../address.ts'
import type { WorkerProbe } from '../readiness.ts'

const headers = 'Host: localhost\r\nUser-Agent: monohull\r\nConnection: close\r\n\r\n'

/** Probe of a worker's own socket, past nginx. Any response counts, whatever its status: a program accepted and read. */
export const httpProbe: WorkerProbe = {
  responds: async (address, timeoutMs) => (await send(address, 'OPTIONS *', timeoutMs)) === 'response',
  respondsToGet: async (address, path, timeoutMs) => (await send(address, `GET ${path}`, timeoutMs)) !== 'silence',
}

/** `unsent`: this process had no descriptor for the request, which says nothing about the worker. */
type ProbeResult = 'response' | 'silence' | 'unsent'

function send(address: WorkerAddress, request: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const socket = net.connect(toOptions(address))
    const finish = (result: ProbeResult) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(finish, timeoutMs, 'silence' as const)
    socket.once('connect', () => socket.write(`${request} HTTP/1.1\r\n${headers}`))
    socket.once('data', () => finish('response'))
    socket.once('close', () => finish('silence'))
    socket.once('error', error => finish(errnoOf(error) === 'EMFILE' ? 'unsent' : 'silence'))
  })
}

function toOptions(address: WorkerAddress): net.NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: '127.0.0.1', port: address.port }
}
