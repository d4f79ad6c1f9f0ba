import { join, resolve } from 'node:path'
import { canonicalAddress } from '../../base/address.ts'
import { OperatorError } from '../../base/errors.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import type { TlsConfig } from '../keys.ts'
import { namedHosts } from '../named-hosts.ts'
import type { AcmeSettings, AuthoritySettings } from './plan.ts'
import { sharedChallengeSocket } from './shared/paths.ts'

/** Keys that ACME depends on. */
export interface AcmeKeys {
  tls: TlsConfig
  server_names: readonly string[]
  routes?: readonly { host?: string | undefined }[] | undefined
  state_dir: string
  run_dir: string
}

type AuthorityKeys = Pick<NonNullable<TlsConfig['acme']>, 'directory' | 'ca_file' | 'email' | 'profile' | 'eab'>

/** App, reduced to the directory in which its programs run. */
export interface AppDirectory {
  context: { directory: string }
}

const directories: Record<string, string> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}

/** Settings of `tls.acme`; undefined if it is not set. */
export function acmeSettingsOf(config: Pick<AcmeKeys, 'tls' | 'server_names' | 'routes'>): AcmeSettings | undefined {
  const { tls } = config
  if (!tls.acme) return undefined
  const { preferred_chain, fallback, key_type, challenge, dns_hook } = tls.acme
  const certificates = tls.acme.domains ?? namedHosts(config)
  return {
    ...authorityOf(tls.acme),
    preferredChain: preferred_chain,
    fallback: fallback && authorityOf({ email: tls.acme.email, ...fallback }),
    keyType: key_type,
    challenge,
    dnsHook: dns_hook,
    plans: certificates.map(names => {
      const domains = [names].flat().map(name => canonicalAddress(name) ?? name.toLowerCase())
      return { name: domains[0] ?? '', domains }
    }),
  }
}

function authorityOf({ directory, ca_file, email, profile, eab }: AuthorityKeys): AuthoritySettings {
  return {
    directory: directories[directory] ?? directory,
    caFile: ca_file,
    email,
    profile,
    eab: eab && { keyId: eab.key_id, hmacKey: eab.hmac_key },
  }
}

/** Directory of the certificates from the authority. */
export function acmeCertificatesDir({ state_dir }: Pick<AcmeKeys, 'state_dir'>): string {
  return join(state_dir, 'acme/certificates')
}

/** Directory from which nginx serves HTTP-01 challenges; undefined without HTTP-01. */
export function challengeDirOf({ run_dir, tls }: Pick<AcmeKeys, 'run_dir' | 'tls'>): string | undefined {
  return tls.acme?.challenge === 'http-01' ? join(run_dir, 'acme-challenge') : undefined
}

/** Socket on which nginx asks for the responses of other instances; undefined without HTTP-01 or shared_state. */
export function sharedChallengeSocketOf(
  config: Pick<AcmeKeys, 'run_dir' | 'tls'> & { shared_state?: object | undefined },
): string | undefined {
  return config.shared_state && config.tls.acme?.challenge === 'http-01'
    ? sharedChallengeSocket(config.run_dir)
    : undefined
}

/**
 * Directory from which nginx serves TLS-ALPN-01 challenges; undefined without TLS-ALPN-01. Throws an OperatorError if nginx has no Lua.
 */
export function alpnDirOf(
  { run_dir, tls }: Pick<AcmeKeys, 'run_dir' | 'tls'>,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): string | undefined {
  if (tls.acme?.challenge !== 'tls-alpn-01') return undefined
  if (luaModules) return alpnDir(run_dir)
  throw new OperatorError('cannot use tls-alpn-01: this nginx has no Lua module', {
    fix: 'apt-get install libnginx-mod-http-lua, or set tls.acme.challenge to http-01',
  })
}

/** Directory of TLS-ALPN-01 challenges. */
export function alpnDir(runDir: string): string {
  return join(runDir, 'acme-alpn')
}

/** Working directory of the DNS hook: the app's directory if there is only one app, otherwise monohull's own. */
export function dnsHookDir(apps: readonly AppDirectory[]): string {
  return (apps.length === 1 && apps[0]?.context.directory) || resolve('.')
}
