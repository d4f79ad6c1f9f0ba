import type { LocalServer } from '../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../nginx/adapters/questions.ts'
import { readRouteHost } from '../route.ts'

/** Server that nginx queries for the target of a host: 200 with a version and a target, 404 with a version, or 503 if the lookup fails. */
export function serveDynamicRoutes(
  socket: QuestionSocket,
  find: (host: string) => Promise<{ version: number; target: string | undefined }>,
): Promise<LocalServer> {
  return serveQuestions(socket, async text => {
    const host = readRouteHost(text)
    const { version, target } = await find(host.ok ? host.value : '')
    return target === undefined ? { status: 404, body: `${version}` } : { status: 200, body: `${version} ${target}` }
  })
}
