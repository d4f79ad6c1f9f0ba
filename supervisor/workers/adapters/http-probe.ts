import type net from 'node:net'
import { greet, greetings, httpHead } from '../../nginx/adapters/greeting.ts'
import { fits, spokenIn } from '../../nginx/spoken.ts'
import type { WorkerAddress } from '../address.ts'

/** Probe of a worker's own socket, past nginx. Any response counts, whatever its status, unless it is in another protocol. */
export const httpProbe = {
  responds: async (address: WorkerAddress, timeoutMs: number) => {
    const { result, bytes } = await greet(toOptions(address), greetings.http, timeoutMs)
    return result === 'response' && fits('http', spokenIn(bytes))
  },
  /** Whether it responded in time; true if this process lacks descriptors to ask. */
  respondsToGet: async (address: WorkerAddress, path: string, timeoutMs: number) => {
    const { result } = await greet(toOptions(address), httpHead(`GET ${path}`), timeoutMs)
    return result === 'response' || result === 'unsent'
  },
}

/** Where a worker listens, for a connection. */
export function toOptions(address: WorkerAddress): net.NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: '127.0.0.1', port: address.port }
}
