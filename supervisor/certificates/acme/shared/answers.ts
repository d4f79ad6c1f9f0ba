import { serveQuestions } from '../../../nginx/adapters/questions.ts'
import type { SharedState } from '../../../shared-state/state.ts'
import { sharedChallengeSocket } from './paths.ts'
import { findResponse } from './responses.ts'

/** Requests of CAs, and of anyone who plays one. */
const maxPending = 64

/**
 * Answers nginx's questions about challenges of other instances, from before nginx starts: an instance that boots may be the one that the CA reaches.
 * `gid`: group of nginx's user.
 */
export async function openSharedAnswers(
  state: Pick<SharedState, 'read'>,
  { runDir, gid }: { runDir: string; gid: number | undefined },
): Promise<{ name: string; close(): Promise<void> }> {
  const server = await serveQuestions({ path: sharedChallengeSocket(runDir), gid, maxPending }, async request => {
    const found = await findResponse(state, request)
    return found === undefined ? { status: 404 } : { status: 200, body: found, type: 'text/plain' }
  })
  return { name: 'shared challenges', close: server.close }
}
