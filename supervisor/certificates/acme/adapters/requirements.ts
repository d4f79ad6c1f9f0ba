import { readFileSync } from 'node:fs'
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
  const { ca_file: file, dns_hook: hook } = tls.acme ?? {}
  if (file !== undefined) checkAuthority(file, complain)
  if (hook === undefined) return
  checkProgram('tls.acme.dns_hook', hook, {
    context: { directory: dnsHookDir(apps), path: pathOf(world) },
    complain,
  })
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

/** Roots for HTTPS requests to the CA, as PEM. */
export function readRoots(file: string): string {
  return readFileSync(file, 'utf8')
}
