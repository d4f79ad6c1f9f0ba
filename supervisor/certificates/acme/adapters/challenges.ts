import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChallengeSolver } from '../authority.ts'
import { dnsRecord } from './key-maker.ts'

const hookTimeoutMs = 600_000

/** Files that nginx serves below /.well-known/acme-challenge/: nothing is reloaded for them. */
export function createHttpSolver(folder: string): ChallengeSolver {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return {
    type: 'http-01',
    async present(_domain, token, keyAuthorization) {
      writeFileSync(challengePath(folder, token), keyAuthorization, { mode: 0o644 })
    },
    async remove(_domain, token) {
      rmSync(challengePath(folder, token), { force: true })
    },
  }
}

/** The file for a token; the authority chooses tokens, and may not choose paths. */
export function challengePath(folder: string, token: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new Error('the CA gave a token that is none')
  return join(folder, token)
}

/**
 * The user's own program: `HOOK add NAME VALUE` returns once the TXT record is seen everywhere, `HOOK remove NAME VALUE`
 * when it is gone. `signal` ends an `add`.
 */
export function createDnsSolver(hook: readonly string[], directory: string, signal: AbortSignal): ChallengeSolver {
  async function run(action: 'add' | 'remove', domain: string, keyAuthorization: string): Promise<void> {
    const { execa } = await import('execa')
    const { name, value } = dnsRecord(domain, keyAuthorization)
    const [program = '', ...words] = hook
    const { failed, shortMessage, stderr } = await execa(program, [...words, action, name, value], {
      cwd: directory,
      reject: false,
      stdin: 'ignore',
      timeout: hookTimeoutMs,
      // a record that was added is removed all the same
      ...(action === 'add' ? { cancelSignal: signal } : {}),
    })
    if (failed) throw new Error(`the hook cannot ${action} the DNS record ${name}: ${stderr || shortMessage}`)
  }
  return {
    type: 'dns-01',
    present: (domain, _token, keyAuthorization) => run('add', domain, keyAuthorization),
    remove: (domain, _token, keyAuthorization) => run('remove', domain, keyAuthorization),
  }
}
