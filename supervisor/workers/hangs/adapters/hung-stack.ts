import { systemClock } from '../../../base/adapters/system-clock.ts'
import { openInspector } from '../../adapters/inspector.ts'
import type { StackReader } from '../hang-watch.ts'

const framesKept = 15

interface Message {
  method?: string
  params?: {
    scriptId?: string
    url?: string
    callFrames?: {
      functionName: string
      location: { scriptId: string; lineNumber: number; columnNumber?: number }
    }[]
  }
}

/**
 * JavaScript stack of a Node process whose event loop is blocked. SIGUSR1 starts the inspector in a separate thread, which
 * interrupts even an endless loop. Nothing has to run in the process before it hangs, and no environment is written to disk.
 * Empty for an app with its own SIGUSR1 handler, a stopped process or a blocking system call.
 */
export const readHungStack: StackReader = async (child, { timeoutMs, pid }) => {
  const deadline = systemClock.monotonic() + timeoutMs
  const address = await openInspector(child, { clock: systemClock, timeoutMs, pid })
  return address === undefined ? [] : readStack(address, deadline - systemClock.monotonic())
}

function readStack(address: string, timeoutMs: number): Promise<string[]> {
  return new Promise(resolve => {
    const socket = new WebSocket(address)
    const urls = new Map<string, string>()
    const finish = (stack: string[]) => {
      clearTimeout(timer)
      socket.close()
      resolve(stack)
    }
    const timer = setTimeout(finish, timeoutMs, [])
    socket.onerror = () => finish([])
    socket.onopen = () => {
      for (const [index, method] of ['Debugger.enable', 'Debugger.pause'].entries())
        socket.send(JSON.stringify({ id: index + 1, method }))
    }
    socket.onmessage = ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as Message
      if (method === 'Debugger.scriptParsed') urls.set(params?.scriptId ?? '', params?.url ?? '')
      if (method === 'Debugger.paused') finish(describeFrames(params?.callFrames ?? [], urls))
    }
  })
}

function describeFrames(
  frames: NonNullable<NonNullable<Message['params']>['callFrames']>,
  urls: ReadonlyMap<string, string>,
): string[] {
  return frames
    .map(({ functionName, location }) => ({ functionName, location, url: urls.get(location.scriptId) ?? '' }))
    .filter(({ url }) => !url.startsWith('node:'))
    .slice(0, framesKept)
    .map(({ functionName, location: { lineNumber, columnNumber = 0 }, url }) => {
      const location = `${url.replace(/^file:\/\//, '')}:${lineNumber + 1}:${columnNumber + 1}`
      return `${functionName || '(anonymous)'} (${location})`
    })
}
