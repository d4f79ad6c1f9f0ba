import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { namedHosts } from '../config/named-hosts.ts'
import type { Config } from '../config/schema.ts'
import type { AcmeSettings } from '../domain/acme.ts'
import { certificatesOf, readPem } from '../domain/pem.ts'
import type { AppSettings } from './app-settings.ts'
import { type Complain, checkProgram, pathOf } from './place.ts'
import type { World } from './world.ts'

const directories: Record<string, string> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}

/** What ACME is to do, or undefined when it is off. */
export function acmeSettingsOf(config: Config): AcmeSettings | undefined {
  const { tls } = config
  if (!tls.acme) return undefined
  const { directory, ca_file, email, profile, eab, key_type, challenge, dns_hook } = tls.acme
  const wanted = tls.acme.domains ?? namedHosts(config)
  return {
    directory: directories[directory] ?? directory,
    caFile: ca_file,
    email,
    profile,
    eab: eab && { keyId: eab.key_id, hmacKey: eab.hmac_key },
    keyType: key_type,
    challenge,
    dnsHook: dns_hook,
    plans: wanted.map(names => {
      const domains = [names].flat().map(name => name.toLowerCase())
      return { name: domains[0] ?? '', domains }
    }),
  }
}

/** Where certificates from the authority are kept. */
export function acmeFolder({ state_dir }: Config): string {
  return join(state_dir, 'acme/certificates')
}

/** Where nginx finds what the authority asks for; undefined when it never asks. */
export function challengeFolder({ run_dir, tls }: Config): string | undefined {
  return tls.acme?.challenge === 'http-01' ? join(run_dir, 'acme-challenge') : undefined
}

/** Where the program runs that sets DNS records: in the folder of the app, when there is one app only. */
export function dnsHookFolder(apps: readonly AppSettings[]): string {
  return (apps.length === 1 && apps[0]?.place.directory) || resolve('.')
}

/** What this machine lacks for it. */
export function checkAcme(
  { tls }: Config,
  { apps, world, complain }: { apps: readonly AppSettings[]; world: World; complain: Complain },
): void {
  const { ca_file: file, dns_hook: hook } = tls.acme ?? {}
  if (file !== undefined) checkAuthority(file, complain)
  if (hook === undefined) return
  checkProgram('tls.acme.dns_hook', hook, { place: { directory: dnsHookFolder(apps), path: pathOf(world) }, complain })
}

function checkAuthority(file: string, complain: Complain): void {
  const key = 'tls.acme.ca_file'
  try {
    const pem = readPem(readFileSync(file))
    const found = pem.ok ? certificatesOf(pem.blocks) : pem
    if (!found.ok) complain(key, file, found.problem, found.fix)
  } catch (error) {
    complain(key, file, messageOf(error), 'name a readable PEM file')
  }
}
