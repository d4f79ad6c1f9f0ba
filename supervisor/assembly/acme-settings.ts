import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { namedHosts } from '../config/named-hosts.ts'
import type { Problem } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import type { AcmeSettings } from '../domain/acme.ts'
import { certificatesOf, readPem } from '../domain/pem.ts'

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

/** What this machine lacks for it. */
export function findAcmeProblems({ tls }: Config): Problem[] {
  const file = tls.acme?.ca_file
  if (file === undefined) return []
  const complaint = (problem: string, fix: string) => [
    { key: 'tls.acme.ca_file', source: 'this machine', value: file, problem, fix },
  ]
  try {
    const pem = readPem(readFileSync(file))
    const found = pem.ok ? certificatesOf(pem.blocks) : pem
    return found.ok ? [] : complaint(found.problem, found.fix)
  } catch (error) {
    return complaint(messageOf(error), 'name a readable PEM file')
  }
}
