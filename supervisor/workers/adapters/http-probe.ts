import net from 'node:net'
import { errnoOf } from '../../base/errors.ts'
import type { WorkerAddress } from '../address.ts'

const headers = 'Host: localhost\r\nUser-Agent: monohull\r\nConnection: close\r\n\r\n'

/** Probe of a worker's own socket, past nginx. Any response counts, whatever its status: a program accepted and read. */
export const httpProbe = {
  responds: async (address: WorkerAddress, timeoutMs: number) =>
    (await ask(address, 'OPTIONS *', timeoutMs)) === 'response',
  /** Whether it responded in time; true if this process lacks descriptors to ask. */
  respondsToGet: async (address: WorkerAddress, path: string, timeoutMs: number) => {
    const result = await ask(address, `GET ${path}`, timeoutMs)
    return result === 'response' || result === 'unsent'
  },
}

function ask(address: WorkerAddress, request: string, timeoutMs: number): Promise<ProbeResult> {
  return probe(address, Buffer.from(`${request} HTTP/1.1\r\n${headers}`), timeoutMs)
}

/** `end`: the connection was closed without a response. `unsent`: this process had no descriptor for it, which says nothing about the worker. */
type ProbeResult = 'response' | 'end' | 'silence' | 'unsent'

/** Sends the bytes to a worker and waits for any response. */
export function probe(address: WorkerAddress, bytes: Buffer, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const socket = net.connect(toOptions(address))
    const finish = (result: ProbeResult) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(finish, timeoutMs, 'silence' as const)
    socket.once('connect', () => socket.write(bytes))
    socket.once('data', () => finish('response'))
    socket.once('end', () => finish('end'))
    socket.once('close', () => finish('silence'))
    socket.once('error', error => finish(errnoOf(error) === 'EMFILE' ? 'unsent' : 'silence'))
  })
}

function toOptions(address: WorkerAddress): net.NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: '127.0.0.1', port: address.port }
}
