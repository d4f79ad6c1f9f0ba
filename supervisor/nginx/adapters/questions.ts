import { type LocalServer, serve } from '../../base/adapters/local-server.ts'

const usualPending = 256

/** Unix socket for questions. */
export interface QuestionSocket {
  path: string
  /** Group of nginx's user. */
  gid: number | undefined
  /** Maximum number of pending questions; further ones are refused at once. Default: 256. */
  maxPending?: number
}

/** Answer to a question, as an HTTP response. */
export interface Answer {
  status: number
  body?: string
  /** Media type of the body. */
  type?: string
}

/** Serves questions of nginx's workers about names: `GET /NAME`. A failure is answered with 503. */
export function serveQuestions(
  { path, gid, maxPending = usualPending }: QuestionSocket,
  answer: (name: string) => Promise<Answer>,
): Promise<LocalServer> {
  return serve({ path, mode: 0o660, gid, maxConnections: maxPending }, async (request, response) => {
    const { status, body, type } = await answer(request.url?.slice(1) ?? '').catch((): Answer => ({ status: 503 }))
    response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body)
  })
}
