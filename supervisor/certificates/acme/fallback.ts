import { AcmeError, type AcmeRecord, UnreachableError } from './plan.ts'

/** Failures of the first CA in a row before the fallback is tried: without a valid certificate, and while one is in use. */
const patience = { without: 3, with: 10 }

/**
 * Whether a failure is the CA's: it cannot be reached, fails by itself, or does not finish an order. Another CA would reject a name, a
 * challenge or an account for the same reason, and a rate limit is a limit of ours.
 */
function isFailureOfCa(error: unknown): boolean {
  if (error instanceof UnreachableError) return true
  if (!(error instanceof AcmeError)) return false
  return /^(serverInternal|badNonce|noNonce|noJson|noDirectory|http5\d\d|unusable|timeout)$/.test(error.type)
}

/** CA of the next attempt after a failure, and the failures that count towards it: the first, later the fallback and the first in turns. */
export function turnAfter(
  { caFailures = 0, usesFallback = false }: Pick<AcmeRecord, 'caFailures' | 'usesFallback'>,
  error: unknown,
  hasCertificate: boolean,
): Pick<AcmeRecord, 'caFailures' | 'usesFallback'> {
  if (!isFailureOfCa(error)) return { caFailures, usesFallback }
  const failures = caFailures + 1
  const isPatient = failures < (hasCertificate ? patience.with : patience.without)
  return { caFailures: failures, usesFallback: !usesFallback && !isPatient }
}
