import { readFileSync } from 'node:fs'
import { readRegularFile } from '../../../base/adapters/regular-file.ts'
import { messageOf } from '../../../base/errors.ts'
import { certificatesOf, readPem } from '../../../base/pem.ts'
import type { World } from '../../../base/world.ts'
import type { Complain } from '../../../config/report.ts'
import { checkProgram, pathOf } from '../../../processes/adapters/program-context.ts'
import { type AcmeKeys, type AppDirectory, dnsHookDir } from '../settings.ts'

/** Reports files and programs that `tls.acme` needs and this machine lacks. */
export function checkAcme(
  { tls }: Pick<AcmeKeys, 'tls'>,
  { apps, world, complain }: { apps: readonly AppDirectory[]; world: World; complain: Complain },
): void {
  const { ca_file: file, dns_hook: hook, fallback } = tls.acme ?? {}
  if (file !== undefined) checkAuthority('tls.acme.ca_file', file, complain)
  if (fallback?.ca_file !== undefined) checkAuthority('tls.acme.fallback.ca_file', fallback.ca_file, complain)
  if (hook === undefined) return
  checkProgram('tls.acme.dns_hook', hook, {
    context: { directory: dnsHookDir(apps), path: pathOf(world) },
    complain,
  })
}

/** Reports a problem with the PEM file of a CA. */
export function checkAuthority(key: string, file: string, complain: Complain): void {
  try {
    const pem = readPem(readRegularFile(file))
    const found = pem.ok ? certificatesOf(pem.blocks) : pem
    if (!found.ok) complain(key, file, found.problem, found.fix)
  } catch (error) {
    complain(key, file, messageOf(error), 'name a readable PEM file')
  }
}

/** Roots for HTTPS requests to the CA, as PEM. */
export function readRoots(file: string): string {
  return readFileSync(file, 'utf8')
}
