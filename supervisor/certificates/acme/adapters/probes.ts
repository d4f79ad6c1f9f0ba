import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import http from 'node:http'
import { canonicalAddress, isIpv6 } from '../../../base/address.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import { certificateStore } from '../../adapters/store.ts'
import type { Preflight } from '../authority.ts'
import type { ChallengeFiles } from './challenge-files.ts'

const timeoutMs = 5000

/** Checks `state_dir` and DNS, and requests a challenge of its own, as far as this machine can reach it. */
export function createPreflight(stateDir: string, files: ChallengeFiles, signal: AbortSignal): Preflight {
  return {
    storage: () => (certificateStore.isWritable(stateDir) ? undefined : `state_dir ${stateDir} is not writable`),
    async dns(domain) {
      try {
        await lookup(domain)
        return undefined
      } catch (error) {
        // a resolver that fails says nothing about the name
        return errnoOf(error) === 'ENOTFOUND' || errnoOf(error) === 'ENODATA' ? messageOf(error) : undefined
      }
    },
    async challenge(domain) {
      const token = `self-test-${randomBytes(16).toString('hex')}`
      try {
        await files.publish(token, token)
        return await probe(
          `http://${canonicalAddress(domain) !== undefined && isIpv6(domain) ? `[${domain}]` : domain}/.well-known/acme-challenge/${token}`,
          token,
          signal,
        )
      } finally {
        files.remove(token)
      }
    },
  }
}

function probe(url: string, expected: string, aborting: AbortSignal): ReturnType<Preflight['challenge']> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      url,
      { agent: false, signal: AbortSignal.any([aborting, AbortSignal.timeout(timeoutMs)]) },
      response => {
        let text = ''
        response.setEncoding('latin1')
        response.on('data', (part: string) => {
          text = (text + part).slice(0, 200)
        })
        response.on('error', error => resolve({ kind: 'unknown', detail: error.message }))
        response.on('end', () => {
          const status = response.statusCode ?? 0
          if (text === expected) resolve({ kind: 'right', detail: '' })
          // the authority follows redirects
          else if (status >= 300 && status < 400)
            resolve({ kind: 'unknown', detail: `redirects to ${response.headers.location}` })
          else resolve({ kind: 'wrong', detail: `status ${status}` })
        })
      },
    )
    request.on('error', error => {
      if (aborting.aborted) reject(error)
      else resolve({ kind: 'unknown', detail: error.message })
    })
  })
}
