import { readHostName } from '../domain/on-demand-name.ts'
import { type LocalServer, serve } from './server.ts'

/** Handshakes that may wait at the same time; the others are refused at once. */
const mostWaiting = 256

export interface OnDemandSocket {
  path: string
  /** Of nginx's user. */
  gid: number | undefined
}

/** Where nginx asks for a certificate: `GET /NAME`; 200 once there is one, 403 when there will be none now. */
export async function serveOnDemand(
  { path, gid }: OnDemandSocket,
  admit: (name: string) => Promise<boolean>,
): Promise<LocalServer> {
  return serve({ path, mode: 0o660, gid, mostConnections: mostWaiting }, async (request, response) => {
    const name = readHostName(request.url?.slice(1) ?? '')
    const isAdmitted = name !== undefined && (await admit(name).catch(() => false))
    response.writeHead(isAdmitted ? 200 : 403).end()
  })
}
