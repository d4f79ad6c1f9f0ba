import type { ClientAuthority, RevocationList } from './client-authority.ts'

/** Part of a list's lifetime at whose end to warn. */
const warningPart = 1 / 4

/** Reason why client certificates are rejected, now or soon, although they are good. */
export interface AuthorityProblem {
  kind: 'rejects' | 'expires'
  /** `ca` or `crl` of tls.client_certificates. */
  key: 'ca' | 'crl'
  problem: string
  fix: string
}

const renew = 'publish a new list and reload; a list is due before the one in use expires'

/** Problems of CAs and revocation lists at a time. `lists`: undefined without `crl`. nginx itself reports none of them. */
export function findAuthorityProblems(
  authorities: readonly ClientAuthority[],
  lists: readonly RevocationList[] | undefined,
  now: number,
): AuthorityProblem[] {
  return [
    ...authorities.flatMap(authority => problemsOf(authority, authorities, now)),
    ...(lists ?? []).flatMap(list => problemsOfList(list, now)),
    ...(lists ? authorities.flatMap(authority => withoutList(authority, lists)) : []),
  ]
}

function problemsOf(
  { label, subject, issuer, notBefore, notAfter }: ClientAuthority,
  all: readonly ClientAuthority[],
  now: number,
): AuthorityProblem[] {
  const found = (problem: string, fix: string): AuthorityProblem => ({ kind: 'rejects', key: 'ca', problem, fix })
  if (notAfter <= now)
    return [found(`the CA ${label} expired on ${iso(notAfter)}: its clients are rejected`, 'replace it in the file')]
  if (notBefore > now)
    return [
      found(
        `the CA ${label} is not valid before ${iso(notBefore)}: its clients are rejected until then`,
        "check the machine's clock",
      ),
    ]
  if (subject === issuer || all.some(other => other.subject === issuer)) return []
  const problem = `the CA ${label} is an intermediate one, and its issuer is missing: its clients are rejected`
  return [found(problem, 'add the certificates of its issuers to the file, up to the root')]
}

function problemsOfList({ label, thisUpdate, nextUpdate }: RevocationList, now: number): AuthorityProblem[] {
  const found = (problem: string, fix: string): AuthorityProblem => ({ kind: 'rejects', key: 'crl', problem, fix })
  if (thisUpdate > now)
    return [
      found(
        `the revocation list of ${label} is not valid before ${iso(thisUpdate)}: all clients of this CA are rejected until then`,
        "check the machine's clock",
      ),
    ]
  if (nextUpdate === undefined) return []
  if (nextUpdate <= now)
    return [
      found(
        `the revocation list of ${label} expired on ${iso(nextUpdate)}: all clients of this CA are rejected`,
        renew,
      ),
    ]
  if (nextUpdate - now > (nextUpdate - thisUpdate) * warningPart) return []
  const problem = `the revocation list of ${label} expires on ${iso(nextUpdate)}: from then on, all clients of this CA are rejected`
  return [{ kind: 'expires', key: 'crl', problem, fix: renew }]
}

function withoutList({ label, subject }: ClientAuthority, lists: readonly RevocationList[]): AuthorityProblem[] {
  if (lists.some(({ issuer }) => issuer === subject)) return []
  const problem = `there is no revocation list of the CA ${label}: with crl, its clients are rejected`
  return [{ kind: 'rejects', key: 'crl', problem, fix: 'add the list of each CA in the chain, or remove crl' }]
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
