import { isIP } from 'node:net'
import { exitCode, messageOf, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { probeCertificate } from '../certificates/adapters/tls-probe.ts'
import { covers } from '../certificates/choice.ts'
import { describeForeignCertificates, formatTrustInfo } from '../certificates/local-ca/trust-info.ts'
import {
  type CertificateStatus,
  type CertificatesStatus,
  describeServedNames,
  formatCertificates,
} from '../certificates/status.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { readInstance } from '../run/adapters/instance.ts'
import type { Status } from '../run/status.ts'
import { command, runDirOf, socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'

/** Parsed arguments of `monohull cert`. */
export interface CertArguments {
  action: string
  name: string | undefined
  isJson: boolean
  isForced: boolean
}

/** Runs `monohull cert list`, `trust-info`, `show NAME`, `renew NAME` or `check HOST` for the running instance. */
export async function cert(commandLine: CommandLine, world: World, given: CertArguments): Promise<number> {
  const args = { ...given, name: given.name?.toLowerCase() }
  const { action, name, isJson, isForced } = args
  if (name !== undefined && ['list', 'trust-info'].includes(action))
    throw new OperatorError(`monohull cert ${action} accepts no name, got ${name}`, {
      fix: `remove it, or run monohull cert show ${name}`,
      code: exitCode.usage,
    })
  if (action === 'list') {
    const found = await readCertificates(commandLine, world)
    process.stdout.write(isJson ? toJson(found) : formatCertificates(found))
    return exitCode.ok
  }
  if (action === 'trust-info') return trustInfo(commandLine, world, args)
  if (name === undefined)
    throw new OperatorError(`monohull cert ${action} needs a name`, { fix: 'give a host name', code: exitCode.usage })
  if (action === 'renew')
    return command(
      commandLine,
      world,
      `certificates/${encodeURIComponent(name)}/renew${isForced ? '?force=true' : ''}`,
      isJson ? 'json' : 'text',
    )
  return action === 'show' ? show(commandLine, world, args) : check(commandLine, world, name, isJson)
}

async function readCertificates(commandLine: CommandLine, world: World): Promise<CertificatesStatus> {
  const { body } = await askAdmin(await socketOf(commandLine, world), { method: 'GET', path: '/status' })
  return (body as Status).certificates ?? { served: [], awaited: [], problems: ['https is off'] }
}

/** Prints how to trust the local CA; fails if it did not issue the served certificates. */
async function trustInfo(commandLine: CommandLine, world: World, { isJson }: CertArguments): Promise<number> {
  const { localAuthority, served } = await readCertificates(commandLine, world)
  if (!localAuthority) {
    process.stderr.write(`monohull: ${describeForeignCertificates(served)}\n`)
    return exitCode.failed
  }
  process.stdout.write(isJson ? toJson(localAuthority) : formatTrustInfo(localAuthority))
  return exitCode.ok
}

async function show(commandLine: CommandLine, world: World, { name = '', isJson }: CertArguments): Promise<number> {
  const all = await readCertificates(commandLine, world)
  const found = all.served.filter(({ names, servesFor }) => [names, servesFor].some(some => isAmong(some, name)))
  if (found.length === 0) {
    process.stderr.write(`monohull: no certificate for ${name}: ${describeServedNames(all)}\n`)
    return exitCode.failed
  }
  process.stdout.write(isJson ? toJson(found) : found.map(formatOne).join('\n'))
  return exitCode.ok
}

/** Whether a certificate with these names covers a name or address. */
function isAmong(names: string[], name: string): boolean {
  return names.includes(name) || covers({ names }, name)
}

function formatOne({ renewal, ...certificate }: CertificateStatus): string {
  const rows = Object.entries(certificate).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value])
  if (renewal)
    rows.push(
      ['nextRenewal', [renewal.at, renewal.why].filter(Boolean).join(', ')],
      ['lastError', renewal.lastError ?? ''],
    )
  return rows.map(([key = '', value = '']) => `${key.padEnd(12)} ${value || '-'}\n`).join('')
}

/** Checks a host with a real handshake: prints the certificate, and whether clients would accept it. */
async function check(commandLine: CommandLine, world: World, host: string, isJson: boolean): Promise<number> {
  const runDir = await runDirOf(commandLine, world)
  const instance = readInstance(runDir)
  if (!instance?.httpsPort)
    throw new OperatorError(`no monohull is serving HTTPS in ${runDir}`, {
      fix: 'start one with monohull run, with https set to on or redirect',
      code: exitCode.unavailable,
    })
  const { certificate, protocol, distrust } = await probeCertificate({
    host: instance.httpHost,
    port: instance.httpsPort,
    // a client that connects by address sends no name (RFC 6066, section 3)
    name: isIP(host) === 0 ? host : undefined,
    proxyProtocol: instance.proxyProtocol,
  }).catch((error: unknown) => {
    throw new OperatorError(`TLS handshake for ${host} failed: ${messageOf(error)}`, {
      fix: 'run monohull status to see the served certificates',
      code: exitCode.failed,
    })
  })
  const isLocal = /^CN=Monohull local CA /m.test(certificate.issuer)
  const problems = [
    ...((isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) === undefined
      ? [`it does not cover ${host}, only ${certificate.subjectAltName}`]
      : []),
    ...(Date.parse(certificate.validTo) <= Date.now() ? ['it has expired'] : []),
    ...(distrust
      ? [
          `this machine does not trust it: ${distrust}${isLocal ? '; monohull cert trust-info shows how to trust it' : ''}`,
        ]
      : []),
  ]
  if (isJson) {
    const { subjectAltName: names, issuer, validFrom, validTo, serialNumber } = certificate
    process.stdout.write(toJson({ host, names, protocol, issuer, validFrom, validTo, serialNumber, problems }))
    return problems.length === 0 ? exitCode.ok : exitCode.failed
  }
  const facts = [
    `${host}: ${certificate.subjectAltName ?? certificate.subject}, ${protocol}`,
    `issuer ${certificate.issuer.replaceAll('\n', ', ')}`,
    `valid from ${certificate.validFrom} to ${certificate.validTo}`,
    `serial ${certificate.serialNumber}`,
  ]
  process.stdout.write([...facts, ...problems.map(problem => `problem: ${problem}`), ''].join('\n'))
  return problems.length === 0 ? exitCode.ok : exitCode.failed
}
