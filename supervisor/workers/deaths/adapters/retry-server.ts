import type { LocalServer } from '../../../base/adapters/local-server.ts'
import { type QuestionSocket, serveQuestions } from '../../../nginx/adapters/questions.ts'
import type { FailedTry } from '../failed-tries.ts'
import { printable } from '../in-flight-requests.ts'

/** A dead worker may have had this many requests. nginx decides about further ones by itself. */
const maxPending = 2048

/** Dependencies of the retry server. */
export interface RetryServerDeps {
  /** Whether the request came to no worker, because none booted after sleep. */
  hasFailedToWake(app: string): boolean
  mayRepeat(failed: FailedTry): Promise<boolean>
  /** Address for the next try, in nginx's notation; undefined: nginx chooses. */
  next(app: string, failed: FailedTry): string | undefined
}

/**
 * Server that nginx asks after a failed try, as `APP/METHOD/PATH/ID/ADDRESS/BEGAN/SENT/possible`: 200 with an address (empty: any) to try
 * once more, 403 to give up, 503 if the app did not wake up.
 */
export function serveRetries(
  socket: Omit<QuestionSocket, 'maxPending'>,
  { hasFailedToWake, mayRepeat, next }: RetryServerDeps,
): Promise<LocalServer> {
  return serveQuestions({ ...socket, maxPending }, async text => {
    const [app = '', method = '', path = '', id = '', address = '', beganAt = '', sent = '', possible] = text
      .split('/')
      .map(decodeURIComponent)
    if (hasFailedToWake(app)) return { status: 503 }
    const failed: FailedTry = {
      request: `${printable(method, 20)} ${printable(path, 200)}`,
      id: printable(id, 40),
      address,
      beganAt: Number(beganAt) || 0,
      sent: Number(sent),
      isRepeatable: possible === 'possible',
    }
    return (await mayRepeat(failed)) ? { status: 200, body: next(app, failed) ?? '' } : { status: 403 }
  })
}
