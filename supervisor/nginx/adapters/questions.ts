import { type LocalServer, serve } from '../../base/adapters/local-server.ts'

/** Questions that may wait at the same time; the others are refused at once. */
const mostWaiting = 256

export interface QuestionSocket {
  path: string
  /** Of nginx's user. */
  gid: number | undefined
}

/** What nginx is answered. */
export interface Answer {
  status: number
  body?: string
}

/** Where nginx's workers ask about names: `GET /NAME`. What fails is answered with 503. */
export function serveQuestions(
  { path, gid }: QuestionSocket,
  answer: (name: string) => Promise<Answer>,
): Promise<LocalServer> {
  return serve({ path, mode: 0o660, gid, maxConnections: mostWaiting }, async (request, response) => {
    const { status, body } = await answer(request.url?.slice(1) ?? '').catch((): Answer => ({ status: 503 }))
    response.writeHead(status).end(body)
  })
}
