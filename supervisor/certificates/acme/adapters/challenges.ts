import type { ChallengeSolver } from '../authority.ts'
import type { ChallengeFiles } from './challenge-files.ts'
import { dnsRecord } from './key-maker.ts'

const hookTimeoutMs = 600_000

/** Solver of HTTP-01. */
export function createHttpSolver(files: ChallengeFiles): ChallengeSolver {
  return {
    type: 'http-01',
    present: (_domain, token, keyAuthorization) => files.publish(token, keyAuthorization),
    remove: async (_domain, token) => files.remove(token),
  }
}

/**
 * Solver of DNS-01 that runs the user's program: `HOOK add NAME VALUE` returns once the TXT record is visible everywhere, then
 * `HOOK remove NAME VALUE` removes it. `signal` aborts an `add`. Each record has one value at a time, because many programs
 * replace the value: `a.test` and `*.a.test` share a record, and wait for each other.
 */
export function createDnsSolver(hook: readonly string[], directory: string, signal: AbortSignal): ChallengeSolver {
  /** By the name of its record: settles once the latest value is removed. */
  const freed = new Map<string, Promise<void>>()
  const waiting = new Set<string>()
  const releases = new Map<string, () => void>()

  async function takeRecord(name: string, value: string): Promise<void> {
    const before = freed.get(name)
    const { promise, resolve } = Promise.withResolvers<void>()
    freed.set(name, promise)
    releases.set(value, resolve)
    waiting.add(value)
    await before
    signal.throwIfAborted()
    waiting.delete(value)
  }

  async function run(action: 'add' | 'remove', { name, value }: ReturnType<typeof dnsRecord>): Promise<void> {
    const { execa } = await import('execa')
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
    async present(domain, _token, keyAuthorization) {
      const record = dnsRecord(domain, keyAuthorization)
      await takeRecord(record.name, record.value)
      await run('add', record)
    },
    async remove(domain, _token, keyAuthorization) {
      const record = dnsRecord(domain, keyAuthorization)
      try {
        // a value that was still waiting was never added
        if (!waiting.delete(record.value)) await run('remove', record)
      } finally {
        releases.get(record.value)?.()
        releases.delete(record.value)
      }
    },
  }
}
