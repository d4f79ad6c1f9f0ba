import fs from 'node:fs'
import net from 'node:net'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import { contract, notify } from './contract.ts'

const { hrtime } = process

/** Makes heartbeats possible, which must not block: Node makes only descriptors of its own handles non-blocking. */
export function prepareHeartbeat(): void {
  new net.Socket({ fd: contract.notifyDescriptor, readable: false, writable: true }).unref()
}

/** Gives the inspector, which SIGUSR1 starts, a free port: workers must not compete for one. */
export function freeInspectorPort(): void {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  if (!options.some(option => option.includes('--inspect'))) process.debugPort = 0
}

/**
 * Sends heartbeats, which show that the event loop is not blocked, with its utilization since the last one and the delay of this one in ms.
 * They are dropped if the supervisor does not read. Returns a function that ends them.
 */
export function startHeartbeat(): () => void {
  let timer: NodeJS.Timeout
  let before = performance.eventLoopUtilization()
  let due = performance.now()
  function beat(): void {
    const delayMs = Math.max(0, Math.round(performance.now() - due))
    const { utilization } = performance.eventLoopUtilization(before)
    before = performance.eventLoopUtilization()
    notify(`WATCHDOG=1\nLOOP=${utilization.toFixed(3)} ${delayMs}`)
    const waitMs = untilBeat()
    due = performance.now() + waitMs
    timer = setTimeout(beat, waitMs).unref()
  }
  beat()
  return () => clearTimeout(timer)
}

/** Time until the next beat in ms. All workers beat together, at multiples of the interval, so that they wake the supervisor once. */
function untilBeat(): number {
  const [seconds, nanoseconds] = hrtime()
  const left = contract.heartbeatMs - ((seconds * 1000 + Math.floor(nanoseconds / 1e6)) % contract.heartbeatMs)
  // a timer may fire a little early
  return left > contract.heartbeatMs / 4 ? left : left + contract.heartbeatMs
}

/**
 * Reports the utilization of the event loop, for scaling by load. The writes do not block if the supervisor does not read. Returns
 * a function that ends it.
 */
export function reportLoad(): () => void {
  let before = performance.eventLoopUtilization()
  let isWriting = false
  const report = () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    if (isWriting) return
    isWriting = true
    fs.write(contract.notifyDescriptor, `LOAD=${utilization.toFixed(2)}\n`, () => {
      isWriting = false
    })
  }
  const timer = setInterval(report, contract.loadIntervalMs).unref()
  return () => clearInterval(timer)
}
