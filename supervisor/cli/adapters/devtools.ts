/** Connection to the inspector of a Node process, in the protocol of Chrome's DevTools. */
export interface Devtools {
  /** Settles with the result of a command. Rejects if there is none within `timeoutMs`, or the process has ended. */
  send(method: string, params?: object, timeoutMs?: number): Promise<Record<string, unknown>>
  /** Calls `callback` for each event of this name. */
  on(event: string, callback: (params: Record<string, unknown>) => void): void
  /** Settles when the connection has ended. */
  closed: Promise<void>
  close(): void
}

const usualTimeoutMs = 10_000

interface Reply {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

/** Connects to the address that a Node process printed. */
export function connectDevtools(address: string): Promise<Devtools> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, (reply: Reply) => void>()
  const listeners = new Map<string, (params: Record<string, unknown>) => void>()
  const closed = new Promise<void>(resolve => {
    socket.onclose = () => resolve()
  })
  let last = 0
  socket.onmessage = ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
    else listeners.get(reply.method ?? '')?.(reply.params ?? {})
  }

  function send(method: string, params: object = {}, timeoutMs = usualTimeoutMs): Promise<Record<string, unknown>> {
    const id = ++last
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply) => {
        clearTimeout(timer)
        waiting.delete(id)
        if (reply.error) reject(new Error(`${method}: ${reply.error.message}`))
        else resolve(reply.result ?? {})
      }
      const fail = (message: string) => settle({ error: { message } })
      const timer = setTimeout(
        fail,
        timeoutMs,
        'the process does not respond: it is stopped, or waits in a system call',
      )
      waiting.set(id, settle)
      void closed.then(() => waiting.has(id) && fail('the process has ended'))
      socket.send(JSON.stringify({ id, method, params }))
    })
  }

  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error(`cannot connect to ${address}`))
    socket.onopen = () =>
      resolve({
        send,
        closed,
        on: (event, callback) => void listeners.set(event, callback),
        close: () => socket.close(),
      })
  })
}
