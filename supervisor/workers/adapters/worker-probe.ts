import { greet, greetings, spokenInstead } from '../../nginx/adapters/greeting.ts'
import { fits, spokenIn } from '../../nginx/spoken.ts'
import type { WorkerProbe } from '../readiness.ts'
import { httpProbe, toOptions } from './http-probe.ts'

const greetingMs = 1000

/** Probe of a worker in its protocol, without a request to the app. A program that ends the connection has accepted it. */
export const workerProbe: WorkerProbe = {
  async responds(address, timeoutMs, protocol = 'http') {
    if (protocol === 'http') return httpProbe.responds(address, timeoutMs)
    const { result, bytes } = await greet(toOptions(address), greetings[protocol], timeoutMs)
    return result === 'end' || (result === 'response' && fits(protocol, spokenIn(bytes)))
  },
  async respondsToGet(address, { path, protocol = 'http' }, timeoutMs) {
    if (protocol === 'http') return httpProbe.respondsToGet(address, path ?? '/', timeoutMs)
    return (await greet(toOptions(address), greetings[protocol], timeoutMs)).result !== 'silence'
  },
  spokenInstead: (address, protocol = 'http') => spokenInstead(toOptions(address), protocol, greetingMs),
}
