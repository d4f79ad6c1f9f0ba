import { join, resolve } from 'node:path'
import type { TlsConfig } from '../keys.ts'
import { namedHosts } from '../named-hosts.ts'
import type { AcmeSettings } from './plan.ts'

/** Keys that ACME depends on. */
export interface AcmeKeys {
  tls: TlsConfig
  server_names: readonly string[]
  routes?: readonly { host?: string | undefined }[] | undefined
  state_dir: string
  run_dir: string
}

/** An app, by the directory that its programs run in. */
export interface AppDirectory {
  place: { directory: string }
}

const directories: Record<string, string> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}

/** What ACME is to do, or undefined when it is off. */
export function acmeSettingsOf(config: Pick<AcmeKeys, 'tls' | 'server_names' | 'routes'>): AcmeSettings | undefined {
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
export function acmeFolder({ state_dir }: Pick<AcmeKeys, 'state_dir'>): string {
  return join(state_dir, 'acme/certificates')
}

/** Where nginx finds what the authority asks for; undefined when it never asks. */
export function challengeFolder({ run_dir, tls }: Pick<AcmeKeys, 'run_dir' | 'tls'>): string | undefined {
  return tls.acme?.challenge === 'http-01' ? join(run_dir, 'acme-challenge') : undefined
}

/** Where the program runs that sets DNS records: in the folder of the app, when there is one app only. */
export function dnsHookFolder(apps: readonly AppDirectory[]): string {
  return (apps.length === 1 && apps[0]?.place.directory) || resolve('.')
}
