import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChallengeSolver } from '../authority.ts'
import { dnsRecord } from './key-maker.ts'

const hookTimeoutMs = 600_000

/** Solver of HTTP-01: files that nginx serves below /.well-known/acme-challenge/, without a reload. Creates the directory. */
export function createHttpSolver(challengeDir: string): ChallengeSolver {
  mkdirSync(challengeDir, { recursive: true, mode: 0o755 })
  return {
    type: 'http-01',
    async present(_domain, token, keyAuthorization) {
      writeFileSync(challengePath(challengeDir, token), keyAuthorization, { mode: 0o644 })
    },
    async remove(_domain, token) {
      rmSync(challengePath(challengeDir, token), { force: true })
    },
  }
}

/** Path of the file for a token. Throws if the token is malformed, so that the authority cannot choose a path. */
export function challengePath(challengeDir: string, token: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new Error('the CA sent an invalid challenge token')
  return join(challengeDir, token)
}

/**
 * Solver of DNS-01 that runs the user's program: `HOOK add NAME VALUE` returns once the TXT record is visible everywhere, then
 * `HOOK remove NAME VALUE` removes it. `signal` aborts an `add`.
 */
export function createDnsSolver(hook: readonly string[], directory: string, signal: AbortSignal): ChallengeSolver {
  async function run(action: 'add' | 'remove', domain: string, keyAuthorization: string): Promise<void> {
    const { execa } = await import('execa')
    const { name, value } = dnsRecord(domain, keyAuthorization)
    const [program = '', ...args] = hook
    const { failed, shortMessage, stderr } = await execa(program, [...args, action, name, value], {
      cwd: directory,
      reject: false,
      stdin: 'ignore',
      timeout: hookTimeoutMs,
      // a record that was added is removed in any case
      ...(action === 'add' ? { cancelSignal: signal } : {}),
    })
    if (failed) throw new Error(`dns_hook cannot ${action} the DNS record ${name}: ${stderr || shortMessage}`)
  }
  return {
    type: 'dns-01',
    present: (domain, _token, keyAuthorization) => run('add', domain, keyAuthorization),
    remove: (domain, _token, keyAuthorization) => run('remove', domain, keyAuthorization),
  }
}
