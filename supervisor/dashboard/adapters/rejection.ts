import type { ErrorRequestHandler, Response } from 'express'

/** Sends a rejection as JSON, with its reason and what to do about it. */
export function reject(response: Response, status: number, reason: string, fix?: string): void {
  const message = status === 429 ? 'too many requests' : status >= 500 ? 'internal error' : 'request rejected'
  response.status(status).json({ ok: false, message, reason, ...(fix === undefined ? {} : { fix }) })
}

/** Errors as JSON, such as a body that is too long, and a path that is not valid. */
export const sendErrors: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status: unknown = Object(error).status
  const isClients = typeof status === 'number' && status >= 400 && status < 500
  if (!isClients) return reject(response, 500, 'the request failed', 'read the log of monohull, and report it')
  const text = error instanceof Error ? error.message : String(error)
  reject(response, status, status === 413 ? `the body is larger than ${Object(error).limit} bytes` : text)
}
