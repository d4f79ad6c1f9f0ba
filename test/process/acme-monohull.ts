import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Authority } from './acme-authority.ts'
import { fixture, type Monohull, type StartOptions, startMonohull, temporaryFolder } from './monohull.ts'
import { presented } from './presented.ts'
import { keepAsking } from './traffic.ts'

/** One with tls.acme; it answers everything all the time, whatever becomes of its certificates, or the test fails. */
export function startWithAcme(
  t: TestContext,
  { env }: Authority,
  { domains = 'one.test', ...rest }: StartOptions & { domains?: string } = {},
): Monohull {
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('hello.cjs')],
    ...rest,
    env: { ...env, MONOHULL_TLS_ACME_DOMAINS: domains, ...rest.env },
  })
  keepAsking(t, monohull)
  return monohull
}

/** Runs `monohull cert` for an instance. */
export async function cert(t: TestContext, monohull: Monohull, ...words: string[]) {
  const folder = temporaryFolder(t)
  const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
  const told = startMonohull(t, { folder, args: ['cert', ...words], env })
  return { code: await told.exited, output: told.output() }
}

/** As if no certificate of an instance that is stopped was just renewed: a new one is kept for a day. */
export function forgetRenewals({ folder }: Monohull): void {
  const state = join(folder, 'state')
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
    if (basename(name) !== 'record.json') continue
    const record = JSON.parse(readFileSync(join(state, name), 'utf8'))
    writeFileSync(join(state, name), JSON.stringify({ ...record, retryAt: 0 }))
  }
}

const day = 86_400_000

/** A window to renew in, in days from now. */
export function windowOf(from: number, to: number): { start: Date; end: Date } {
  return { start: new Date(Date.now() + from * day), end: new Date(Date.now() + to * day) }
}

/** Of the certificate that it presents. */
export async function serialOf(monohull: Monohull, name = 'one.test'): Promise<string> {
  return (await presented(monohull.instance().httpsPort, name)).serialNumber
}

/** Of the certificate that it presents. */
export async function issuerOf(monohull: Monohull, name = 'one.test'): Promise<string> {
  return (await presented(monohull.instance().httpsPort, name)).issuer
}
