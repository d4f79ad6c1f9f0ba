import { connect } from 'node:net'
import { type Clock, pause } from '../../base/clock.ts'
import { readProcessStat } from '../../processes/adapters/procfs.ts'
import type { Child } from '../../processes/child.ts'

const pollMs = 20
const closeTimeoutMs = 2000
/** Line that Node prints when SIGUSR1 has started its inspector. Only a loopback address is accepted. */
const announcement = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\da-f-]+)$/

/** Options of an inspector to open. */
export interface InspectorOptions {
  clock: Clock
  timeoutMs: number
  /** Member of the child's process group that is to start it; default: the child itself. */
  pid?: number | undefined
  /** Addresses that are closed. */
  former?: ReadonlySet<string>
}

/**
 * Address of the inspector of a Node process, which SIGUSR1 starts in a separate thread, even if the event loop is blocked.
 * Undefined if the process does not start it in time: it may handle SIGUSR1 itself.
 */
export async function openInspector(
  child: Child,
  { clock, timeoutMs, pid = child.pid, former }: InspectorOptions,
): Promise<string | undefined> {
  const deadline = clock.monotonic() + timeoutMs
  // a worker could name any process
  if (pid === child.pid || readProcessStat(pid)?.group !== child.pid) child.signal('SIGUSR1')
  else process.kill(pid, 'SIGUSR1')
  while (clock.monotonic() < deadline) {
    const line = child.lastLines().findLast(text => announcement.test(text))
    const address = announcement.exec(line ?? '')?.[1]
    if (address !== undefined && !former?.has(address)) return address
    await pause(clock, pollMs)
  }
  return undefined
}

/** Ends an inspector from within its process. Settles with whether it has ended. */
export async function closeInspector(address: string, clock: Clock): Promise<boolean> {
  const deadline = clock.monotonic() + closeTimeoutMs
  await requestClose(address)
  while (clock.monotonic() < deadline) {
    if (!(await isListening(address))) return true
    await pause(clock, pollMs)
  }
  return false
}

/** Settles when the process has the request, or cannot get it. The inspector ends later: it waits for its connections, this one too. */
function requestClose(address: string): Promise<void> {
  // after a block, Node handles SIGUSR1 once more, between timers and immediates, and would open a closed inspector again
  const expression = `setTimeout(() => setImmediate(() => {
    const load = process.getBuiltinModule ?? process.mainModule?.require
    load('node:inspector').close()
  }), 50).unref() && true`
  return new Promise(resolve => {
    const socket = new WebSocket(address)
    const finish = () => {
      clearTimeout(timer)
      socket.close()
      resolve()
    }
    const timer = setTimeout(finish, closeTimeoutMs)
    socket.onerror = finish
    socket.onmessage = finish
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }))
  })
}

function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address)
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname)
    const finish = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}
