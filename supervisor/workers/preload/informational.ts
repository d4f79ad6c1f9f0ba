import type { ServerResponse } from 'node:http'
import { createRequire } from 'node:module'

type Method = (this: ServerResponse, ...values: unknown[]) => unknown

let isDone = false

/**
 * Keeps informational responses (102, 103 and a 100 that nobody expects) from nginx. Before version 1.29 it takes them for the final
 * response and waits for a body. Called when a server listens: the app has loaded node:http by then.
 */
export function dropInformationalResponses(): void {
  if (isDone) return
  isDone = true
  const { ServerResponse: response } = createRequire(process.execPath)('node:http') as typeof import('node:http')
  const methods = response.prototype as unknown as Record<string, Method | undefined>
  for (const name of ['writeEarlyHints', 'writeProcessing', 'writeInformation']) {
    if (methods[name] === undefined) continue
    methods[name] = (...values) => {
      const callback = values.find(value => typeof value === 'function')
      if (callback) process.nextTick(callback as () => void)
    }
  }
  const { writeContinue } = methods
  methods.writeContinue = function (...values) {
    return this.req?.headers.expect === undefined ? undefined : writeContinue?.apply(this, values)
  }
}
