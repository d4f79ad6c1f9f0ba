import type { LocalServer } from '../../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../../nginx/adapters/questions.ts'
import type { Admit } from '../admission.ts'
import { readHostName } from '../name.ts'

/** Above the number of waiting questions, which decide fairly whom to refuse. */
const maxPending = 700

/** Server through which nginx requests a certificate, as `NAME/CLIENT`: responds 200 once it exists, 403 if the name is refused. */
export function serveOnDemand(socket: Omit<QuestionSocket, 'maxPending'>, admit: Admit): Promise<LocalServer> {
  return serveQuestions({ ...socket, maxPending }, async text => {
    const [host = '', client = ''] = text.split('/')
    const name = readHostName(host)
    return { status: name !== undefined && (await admit(name, client)) ? 200 : 403 }
  })
}
