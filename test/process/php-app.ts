import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { home, type Monohull, type RequestOptions, startMonohull, temporaryFolder } from './monohull.ts'

const fixture = join(home, 'test/fixtures/php')

/** What the fixture responds with. */
export interface PhpAnswer {
  pid: number
  user: number
  body: string
  files: string[]
  limit: string
  server: Record<string, string>
}

/** Starts a PHP app with files that must not be run or sent beside its scripts. */
export function startPhp(t: TestContext, yaml: string, env: Record<string, string | undefined> = {}): Monohull {
  const folder = temporaryFolder(t, { 'monohull.yaml': yaml })
  cpSync(fixture, folder, { recursive: true })
  mkdirSync(join(folder, 'public/admin'))
  mkdirSync(join(folder, 'public/docs'))
  writeFileSync(join(folder, 'public/admin/index.php'), `<?php echo 'admin ', $_SERVER['SCRIPT_NAME'];`)
  writeFileSync(join(folder, 'public/docs/index.html'), 'documents')
  writeFileSync(join(folder, 'public/photo.jpg'), `<?php echo 'executed';`)
  writeFileSync(join(folder, 'public/.env'), 'SECRET=1')
  for (const name of ['tool.inc', 'old.php5', 'page.phtml', 'app.phar', 'a.pht', 'UPPER.PHP'])
    writeFileSync(join(folder, 'public', name), `<?php $password = 'source of ${name}';`)
  writeFileSync(join(folder, 'outside.php'), `<?php echo 'outside';`)
  symlinkSync('../outside.php', join(folder, 'public/link.php'))
  symlinkSync('/etc/passwd', join(folder, 'public/passwd.txt'))
  return startMonohull(t, { folder, env: { MONOHULL_WORKERS: '1', MONOHULL_MIN_UPTIME: '0s', ...env } })
}

/** Response of the fixture, which must be 200. */
export async function answerOf(monohull: Monohull, options: RequestOptions = {}): Promise<PhpAnswer> {
  const { status, body } = await monohull.request(options)
  assert.equal(status, 200, body)
  return JSON.parse(body)
}

/** Sends requests of these methods in turn, until it is stopped; gives the failures. */
export function load(monohull: Monohull, methods: readonly string[], lanes = 4) {
  let isOver = false
  let count = 0
  const failures: string[] = []
  const sendAll = async () => {
    while (!isOver) {
      const method = methods[count++ % methods.length] ?? 'GET'
      const body = method === 'POST' ? `body ${count}` : undefined
      const failure = await monohull.request({ path: '/page?ms=5', method, ...(body ? { body } : {}) }).then(
        answer =>
          answer.status === 200 && JSON.parse(answer.body).body === (body ?? '')
            ? undefined
            : `${method} ${answer.status}`,
        (error: Error) => `${method} ${error.message}`,
      )
      if (failure) failures.push(failure)
    }
  }
  const all = Array.from({ length: lanes }, sendAll)
  return {
    count: () => count,
    async stop() {
      isOver = true
      await Promise.all(all)
      return failures
    },
  }
}
