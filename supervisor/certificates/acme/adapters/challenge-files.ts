import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, pause } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Neighbours, SharedResponses } from '../authority.ts'

/** Time between two looks for challenges of other instances, in ms. */
const mirrorEveryMs = 1000
/** Time in which every other instance has seen a new challenge, in ms. */
const mirroredMs = 1500

/** Responses to HTTP-01 challenges, which this instance and its neighbours serve: the authority may reach any of them. */
export interface ChallengeFiles {
  /** Settles once every instance serves it. */
  publish(token: string, keyAuthorization: string): Promise<void>
  remove(token: string): void
  /** Stops serving what neighbours publish. */
  close(): void
}

/** Dependencies of the challenge files. */
export interface ChallengeFilesDeps {
  clock: Clock
  log: Log
  /** Where other instances find the responses. */
  responses: SharedResponses
  /** Instances whose responses are mirrored; undefined if nginx asks for them instead. */
  neighbours: Neighbours | undefined
  signal: AbortSignal
}

/** Files that nginx serves below /.well-known/acme-challenge/, without a reload. Creates the directory. */
export function createChallengeFiles(
  directory: string,
  { clock, log, responses, neighbours, signal }: ChallengeFilesDeps,
): ChallengeFiles {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const mirrored = new Set<string>()
  // the authority may be asking this instance already for a challenge of another one
  let cancel = neighbours ? look() : () => {}

  function look(): () => void {
    try {
      mirror()
    } catch (error) {
      log.debug('cannot serve a challenge of another instance', { error: messageOf(error) })
    }
    return clock.after(mirrorEveryMs, () => {
      cancel = look()
    })
  }

  function mirror(): void {
    const shared = neighbours?.shared() ?? new Map<string, string>()
    for (const [token, keyAuthorization] of shared) {
      if (mirrored.has(token) || keyAuthorization === '') continue
      writeFileSync(challengePath(directory, token), keyAuthorization, { mode: 0o644 })
      mirrored.add(token)
    }
    for (const token of mirrored) {
      if (shared.has(token)) continue
      rmSync(challengePath(directory, token), { force: true })
      mirrored.delete(token)
    }
  }

  return {
    async publish(token, keyAuthorization) {
      writeFileSync(challengePath(directory, token), keyAuthorization, { mode: 0o644 })
      await responses.share(token, keyAuthorization)
      neighbours?.beat() // one may have started since the last time
      if (neighbours?.exist()) await pause(clock, mirroredMs, signal)
    },
    remove(token) {
      rmSync(challengePath(directory, token), { force: true })
      responses.unshare(token)
    },
    close: () => cancel(),
  }
}

/** Path of the file for a token. Throws if the token is malformed, so that the authority cannot choose a path. */
export function challengePath(directory: string, token: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new Error('the CA sent an invalid challenge token')
  return join(directory, token)
}
