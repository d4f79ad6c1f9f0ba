import type { CertificateFiles } from '../certificates/certificate.ts'
import type { TlsCertificateSet } from '../certificates/tls-certificates.ts'
import type { NginxModel } from './model.ts'

/** Site of one host, or of all other hosts. */
export interface Site {
  /** Host name, which may begin with `*.`; undefined: all other hosts. */
  host: string | undefined
  /** File with its locations. */
  file: string
}

/** HTTPS server of nginx: certificates for some names, and the site that these names share. */
export interface TlsServer {
  isDefault: boolean
  /** Empty: any name. */
  names: string[]
  certificates: readonly CertificateFiles[]
  /** Whether a certificate on demand may replace its certificates, because they may not cover the requested name. */
  isOnDemand: boolean
  /** Wildcard that its certificate covers, with `isOnDemand`: to nginx it matches any number of labels, in a certificate one. */
  wildcard: string | undefined
  file: string
}

const none: TlsCertificateSet = { names: [], files: [] }

/**
 * HTTPS servers: one for each pair of a certificate set and a site that share a name. The first is the default server, for
 * clients that request no known name.
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
  // a single certificate needs no names; with several, the wildcard of another would match them
  const names = new Set([...(named.length > 0 || hasOnDemand ? sets.flatMap(set => set.names) : []), ...hosts])
  const servers: (TlsServer & { set: TlsCertificateSet })[] = [
    {
      isDefault: true,
      names: [],
      certificates: fallback.files,
      file: rest,
      set: fallback,
      isOnDemand: hasOnDemand,
      wildcard: undefined,
    },
  ]
  for (const name of names) {
    const covering =
      sets.find(each => each.names.includes(name)) ?? sets.find(each => each.names.includes(parentOf(name)))
    const set = covering ?? fallback
    const wildcard = hasOnDemand && covering && name.startsWith('*.') ? name : undefined
    const isOnDemand = hasOnDemand && (!covering || wildcard !== undefined)
    const file = siteOf(name, others)?.file ?? rest
    const next = { isDefault: false, names: [name], certificates: set.files, file, set, isOnDemand, wildcard }
    const same = servers.find(server => server.set === set && keyOf(server) === keyOf(next))
    if (same) same.names.push(name)
    else servers.push(next)
  }
  return servers.map(({ set, ...server }) => server)
}

function keyOf({ file, isOnDemand, wildcard }: TlsServer): string {
  return JSON.stringify([file, isOnDemand, wildcard])
}

/** Wildcard that covers a name: `*.example.com` for `www.example.com`. In certificates it covers one label. */
function parentOf(name: string): string {
  return `*${name.slice(name.indexOf('.'))}`
}

/** Site that nginx chooses for a name: its own, else that of the longest wildcard. */
function siteOf(name: string, sites: readonly Site[]): Site | undefined {
  const fitting = sites.filter(
    ({ host = '' }) => host === name || (host.startsWith('*.') && name.endsWith(host.slice(1))),
  )
  return (
    fitting.sort((a, b) => (b.host?.length ?? 0) - (a.host?.length ?? 0)).find(({ host }) => host === name) ??
    fitting[0]
  )
}
