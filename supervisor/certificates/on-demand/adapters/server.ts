import type { LocalServer } from '../../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../../nginx/adapters/questions.ts'
import { readHostName } from '../name.ts'

/** Where nginx asks for a certificate: 200 once there is one, 403 when there will be none now. */
export function serveOnDemand(socket: QuestionSocket, admit: (name: string) => Promise<boolean>): Promise<LocalServer> {
  return serveQuestions(socket, async text => {
    const name = readHostName(text)
    return { status: name !== undefined && (await admit(name)) ? 200 : 403 }
  })
}
