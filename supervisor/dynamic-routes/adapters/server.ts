import type { LocalServer } from '../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../nginx/adapters/questions.ts'
import type { RouteLookup } from '../service.ts'

/**
 * Server that nginx queries for the route of a host: 200 with a version, the route, and the wildcard that it is stored under, if any; 404 with
 * a version; or 503 if the lookup fails.
 */
export function serveDynamicRoutes(
  socket: QuestionSocket,
  find: (host: string) => Promise<RouteLookup>,
): Promise<LocalServer> {
  return serveQuestions(socket, async host => {
    const { version, route, wildcard } = await find(host)
    if (route === undefined) return { status: 404, body: `${version}` }
    return { status: 200, body: [version, route, ...(wildcard ? [wildcard] : [])].join(' ') }
  })
}
