import type { FeedMessage } from '../supervisor/dashboard/feed.ts'

/** State of the connection to the instance. */
export type Connection = 'connecting' | 'open' | 'lost' | 'token needed' | 'refused'

const firstDelayMs = 1000
const longestDelayMs = 15_000
/** Time without a message after which a connection counts as lost: there is one each second. */
const silenceMs = 12_000
const tokenKey = 'monohull-token'

/** Connection to the feed. It ends while the page is hidden, and goes on where it was. */
export interface FeedConnection {
  setToken(token: string): void
  /** Sends a request to the admin API; rejects with the reason of a failure. */
  send(method: 'GET' | 'POST', path: string): Promise<unknown>
}

/** Listeners of the feed. */
export interface FeedListener {
  onMessage(message: FeedMessage): void
  onConnection(connection: Connection, reason?: string): void
}

/** Connects to the feed beside this page. */
export function connectFeed({ onMessage, onConnection }: FeedListener): FeedConnection {
  let position = ''
  let delayMs = firstDelayMs
  let current: AbortController | undefined
  let timer = 0

  function headers(): Record<string, string> {
    const token = sessionStorage.getItem(tokenKey)
    return token === null ? {} : { 'monohull-token': token }
  }

  async function open(): Promise<void> {
    clearTimeout(timer)
    current?.abort()
    if (document.hidden) return
    const controller = new AbortController()
    current = controller
    onConnection('connecting')
    try {
      const response = await fetch(address('feed'), {
        headers: { ...headers(), ...(position === '' ? {} : { 'last-event-id': position }) },
        signal: controller.signal,
        cache: 'no-store',
      })
      if (response.status === 401)
        return onConnection(
          'token needed',
          sessionStorage.getItem(tokenKey) === null ? undefined : 'This token is wrong.',
        )
      if (response.status === 403) return onConnection('refused', await reasonIn(response))
      if (!response.ok || !response.body) throw new Error(await reasonIn(response))
      onConnection('open')
      await read(response.body, controller)
      throw new Error('the connection was closed')
    } catch (error) {
      if (controller !== current || document.hidden) return
      onConnection('lost', error instanceof Error ? error.message : String(error))
      timer = setTimeout(open, delayMs)
      delayMs = Math.min(2 * delayMs, longestDelayMs)
    }
  }

  async function read(body: ReadableStream<Uint8Array<ArrayBuffer>>, controller: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    let silence = 0
    try {
      for (;;) {
        clearTimeout(silence)
        silence = setTimeout(() => controller.abort(new Error('nothing was received')), silenceMs)
        const { done, value } = await reader.read()
        if (done) return
        const events = (rest + value).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) take(event)
      }
    } finally {
      clearTimeout(silence)
    }
  }

  function take(event: string): void {
    const [, id, data] = /^id: (.*)\ndata: (.*)$/s.exec(event) ?? []
    if (id === undefined || data === undefined) return
    onMessage(JSON.parse(data))
    position = id
    delayMs = firstDelayMs
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return void open()
    clearTimeout(timer)
    current?.abort()
    current = undefined
  })
  void open()

  return {
    setToken(token) {
      sessionStorage.setItem(tokenKey, token)
      void open()
    },
    async send(method, path) {
      const response = await fetch(address(path), { method, headers: headers() })
      if (!response.ok) throw new Error(await reasonIn(response))
      return response.json()
    },
  }
}

/** Address beside the page, which may be below a path of a route. */
function address(path: string): string {
  return new URL(path, document.baseURI.replace(/[?#].*$/, '').replace(/\/?$/, '/')).href
}

async function reasonIn(response: Response): Promise<string> {
  try {
    const { message = '', reason = '', fix } = await response.json()
    return `${message}: ${reason}${fix === undefined ? '' : `. Fix: ${fix}`}`
  } catch {
    return `status ${response.status}`
  }
}
