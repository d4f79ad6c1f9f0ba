import type { Readable, Writable } from 'node:stream'

const deadlineMs = 30_000

/** What a message of the protocol carries; its shape is of the method or the event. */
// biome-ignore lint/suspicious/noExplicitAny: the protocol's own types are a package of 1 MB
type Params = any

interface Message {
  id?: number
  sessionId?: string
  method?: string
  params?: Params
  result?: Params
  error?: { message: string }
}

/** A browser by the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol). */
export interface DevTools {
  /** Calls a method, of a session or of the browser; rejects when the browser refuses or does not answer. */
  call(method: string, params?: object, sessionId?: string): Promise<Params>
  /** Hears all that a session tells. */
  onEvent(sessionId: string, listener: (method: string, params: Params) => void): void
}

/** Speaks with a browser that was started with --remote-debugging-pipe: each message ends with NUL. */
export function openDevTools(toBrowser: Writable, fromBrowser: Readable): DevTools {
  const calls = new Map<number, (message: Message) => void>()
  const listeners = new Map<string, (method: string, params: Params) => void>()
  let lastId = 0
  let rest = ''
  // a call to a browser that has ended is told by its deadline
  toBrowser.on('error', () => {})
  fromBrowser.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = (rest + chunk).split('\0')
    rest = texts.pop() ?? ''
    for (const text of texts) hear(JSON.parse(text))
  })
  function hear({ id, sessionId, method, params, ...answer }: Message): void {
    if (id !== undefined) calls.get(id)?.(answer)
    else if (sessionId && method) listeners.get(sessionId)?.(method, params)
  }
  return {
    call: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        const timer = setTimeout(() => reject(new Error(`no answer of the browser to ${method}`)), deadlineMs)
        calls.set(id, ({ result, error }) => {
          clearTimeout(timer)
          calls.delete(id)
          if (error) reject(new Error(`the browser refuses ${method}: ${error.message}`))
          else resolve(result)
        })
        toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      }),
    onEvent: (sessionId, listener) => void listeners.set(sessionId, listener),
  }
}
