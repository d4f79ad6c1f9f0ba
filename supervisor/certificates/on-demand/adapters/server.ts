import type { LocalServer } from '../../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../../nginx/adapters/questions.ts'
import { readHostName } from '../name.ts'

/** Server through which nginx requests a certificate: responds 200 once it exists, 403 if the name is refused. */
export function serveOnDemand(socket: QuestionSocket, admit: (name: string) => Promise<boolean>): Promise<LocalServer> {
  return serveQuestions(socket, async text => {
    const name = readHostName(text)
    return { status: name !== undefined && (await admit(name)) ? 200 : 403 }
  })
}
