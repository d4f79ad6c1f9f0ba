import { join } from 'node:path'

/** Socket on which nginx asks for the responses of other instances. */
export function sharedChallengeSocket(runDir: string): string {
  return join(runDir, 'acme-challenge.sock')
}
