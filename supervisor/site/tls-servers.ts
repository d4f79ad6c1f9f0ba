import type { CertificateFiles } from '../certificates/certificate.ts'
import type { TlsCertificateSet } from '../certificates/tls-certificates.ts'
import type { NginxModel } from './model.ts'

/** What one host, or every other one, is answered with. */
export interface Site {
  /** A name that may begin with `*.`; undefined: every other one. */
  host: string | undefined
  /** The file with its locations. */
  file: string
}

/** One HTTPS server of nginx: the certificates for some names, and the site that these names share. */
export interface TlsServer {
  isDefault: boolean
  /** None: whatever the client asks for. */
  names: string[]
  certificates: readonly CertificateFiles[]
  /** Whether its certificates may not be for the name that the client asks for, and another may be had. */
  isOnDemand: boolean
  file: string
}

const none: TlsCertificateSet = { names: [], files: [] }

/**
 * The HTTPS servers: one for each certificate with each site where their names meet. The default one comes first, for
 * clients that ask for no name that is known.
 */
export function tlsServers(
  { certificates, onDemand }: Pick<NginxModel, 'certificates' | 'onDemand'>,
  sites: readonly Site[],
): TlsServer[] {
  const { fallback, named } = certificates ?? { fallback: none, named: [] }
  const rest = sites.find(({ host }) => host === undefined)?.file ?? ''
  const others = sites.filter(({ host }) => host !== undefined)
  const sets = [fallback, ...named]
  const hosts = others.flatMap(({ host }) => host ?? [])
  const hasOnDemand = onDemand !== undefined
  // one certificate alone needs no names; beside others it does, or another's wildcard would take them
  const names = new Set([...(named.length > 0 || hasOnDemand ? sets.flatMap(set => set.names) : []), ...hosts])
  const servers: (TlsServer & { set: TlsCertificateSet })[] = [
    { isDefault: true, names: [], certificates: fallback.files, file: rest, set: fallback, isOnDemand: hasOnDemand },
  ]
  for (const name of names) {
    const covering =
      sets.find(each => each.names.includes(name)) ?? sets.find(each => each.names.includes(parentOf(name)))
    const set = covering ?? fallback
    const isOnDemand = hasOnDemand && !covering
    const file = siteOf(name, others)?.file ?? rest
    const same = servers.find(server => server.set === set && server.file === file && server.isOnDemand === isOnDemand)
    if (same) same.names.push(name)
    else servers.push({ isDefault: false, names: [name], certificates: set.files, file, set, isOnDemand })
  }
  return servers.map(({ set, ...server }) => server)
}

/** `*.example.com` for `www.example.com`: certificates take the place of one label. */
function parentOf(name: string): string {
  return `*${name.slice(name.indexOf('.'))}`
}

/** The site of a name, as nginx chooses it: its own, else that of the longest wildcard. */
function siteOf(name: string, sites: readonly Site[]): Site | undefined {
  const fitting = sites.filter(
    ({ host = '' }) => host === name || (host.startsWith('*.') && name.endsWith(host.slice(1))),
  )
  return (
    fitting.sort((a, b) => (b.host?.length ?? 0) - (a.host?.length ?? 0)).find(({ host }) => host === name) ??
    fitting[0]
  )
}
