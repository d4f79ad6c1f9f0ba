import { isIP } from 'node:net'
import { exitCode, messageOf, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { probeCertificate } from '../certificates/adapters/tls-probe.ts'
import { covers } from '../certificates/choice.ts'
import { describeForeignCertificates, formatTrustInfo } from '../certificates/local-ca/trust-info.ts'
import { type CertificateStatus, type CertificatesStatus, formatCertificates } from '../certificates/status.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { readInstance } from '../run/adapters/instance.ts'
import type { Status } from '../run/status.ts'
import { command, runDirOf, socketOf } from './control.ts'
import type { CommandLine } from './load.ts'

export interface CertArguments {
  action: string
  name: string | undefined
  isJson: boolean
  isForced: boolean
}

/** `monohull cert list`, `trust-info`, `show NAME`, `renew NAME` and `check HOST`, of the running instance. */
export async function cert(line: CommandLine, world: World, given: CertArguments): Promise<number> {
  const words = { ...given, name: given.name?.toLowerCase() }
  const { action, name, isJson, isForced } = words
  if (name !== undefined && ['list', 'trust-info'].includes(action))
    throw new OperatorError(`monohull cert ${action} takes no name, got ${name}`, {
      fix: `leave it out, or: monohull cert show ${name}`,
      code: exitCode.usage,
    })
  if (action === 'list') {
    const found = await readCertificates(line, world)
    process.stdout.write(isJson ? toJson(found) : formatCertificates(found))
    return exitCode.ok
  }
  if (action === 'trust-info') return trustInfo(line, world, words)
  if (name === undefined)
    throw new OperatorError(`monohull cert ${action} needs a name`, { fix: 'give a host name', code: exitCode.usage })
  if (action === 'renew')
    return command(line, world, `certificates/${encodeURIComponent(name)}/renew${isForced ? '?force=true' : ''}`)
  return action === 'show' ? show(line, world, words) : check(line, world, name)
}

async function readCertificates(line: CommandLine, world: World): Promise<CertificatesStatus> {
  const { body } = await askAdmin(await socketOf(line, world), 'GET', '/status')
  return (body as Status).certificates ?? { served: [], awaited: [], problems: ['https is off'] }
}

/** How to trust the local CA; fails when it is not the one of what is served. */
async function trustInfo(line: CommandLine, world: World, { isJson }: CertArguments): Promise<number> {
  const { localAuthority, served } = await readCertificates(line, world)
  if (!localAuthority) {
    process.stderr.write(`monohull: ${describeForeignCertificates(served)}\n`)
    return exitCode.failed
  }
  process.stdout.write(isJson ? toJson(localAuthority) : formatTrustInfo(localAuthority))
  return exitCode.ok
}

async function show(line: CommandLine, world: World, { name = '', isJson }: CertArguments): Promise<number> {
  const { served } = await readCertificates(line, world)
  const found = served.filter(({ names, servesFor }) => [names, servesFor].some(some => isAmong(some, name)))
  if (found.length === 0) {
    const known = served.flatMap(({ names }) => names).join(', ')
    process.stderr.write(`monohull: no certificate for ${name}; there are some for ${known}\n`)
    return exitCode.failed
  }
  process.stdout.write(isJson ? toJson(found) : found.map(formatOne).join('\n'))
  return exitCode.ok
}

/** Whether a certificate with these names is for a name, or for an address among them. */
function isAmong(names: string[], name: string): boolean {
  return names.includes(name) || covers({ names }, name)
}

function formatOne({ renewal, ...certificate }: CertificateStatus): string {
  const rows = Object.entries(certificate).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value])
  if (renewal) rows.push(['nextRenewal', `${renewal.at}, ${renewal.why}`], ['lastError', renewal.lastError ?? ''])
  return rows.map(([key = '', value = '']) => `${key.padEnd(12)} ${value || '-'}\n`).join('')
}

/** A real handshake for a host: which certificate it shows, and whether a client would take it. */
async function check(line: CommandLine, world: World, host: string): Promise<number> {
  const instance = readInstance(await runDirOf(line, world))
  if (!instance?.httpsPort)
    throw new OperatorError('no monohull serves HTTPS there', { fix: 'start one', code: exitCode.unavailable })
  const { certificate, protocol, distrust } = await probeCertificate({
    host: instance.httpHost,
    port: instance.httpsPort,
    // whoever asks for an address names none (RFC 6066, 3)
    name: isIP(host) === 0 ? host : undefined,
    proxyProtocol: instance.proxyProtocol,
  }).catch((error: unknown) => {
    throw new OperatorError(`the handshake for ${host} fails: ${messageOf(error)}`, {
      fix: 'monohull status shows what is served',
      code: exitCode.failed,
    })
  })
  const isLocal = /^CN=Monohull local CA /m.test(certificate.issuer)
  const problems = [
    ...((isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) === undefined
      ? [`it is not for ${host}, but for ${certificate.subjectAltName}`]
      : []),
    ...(Date.parse(certificate.validTo) <= Date.now() ? ['it has expired'] : []),
    ...(distrust
      ? [`this machine does not trust it: ${distrust}${isLocal ? '; monohull cert trust-info says how it would' : ''}`]
      : []),
  ]
  const facts = [
    `${host}: ${certificate.subjectAltName ?? certificate.subject}, ${protocol}`,
    `issuer ${certificate.issuer.replaceAll('\n', ', ')}`,
    `valid from ${certificate.validFrom} to ${certificate.validTo}`,
    `serial ${certificate.serialNumber}`,
  ]
  process.stdout.write([...facts, ...problems.map(problem => `problem: ${problem}`), ''].join('\n'))
  return problems.length === 0 ? exitCode.ok : exitCode.failed
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
