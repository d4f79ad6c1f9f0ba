/** What testssl.sh says of one thing (its flat JSON). */
export interface Finding {
  id: string
  severity: string
  finding: string
}

/**
 * Words for testssl.sh: protocols, ciphers, forward secrecy, their order, the server's defaults and certificate, all
 * vulnerabilities, headers. What it would ask the network for is left out.
 */
export function testsslWords({ name, address, port }: { name: string; address: string; port: number }): string[] {
  const checks = ['-p', '-s', '-f', '-P', '-S', '-U', '-h']
  return [...checks, '--quiet', '--color', '0', '--warnings', 'off', '-n', 'none', '--ip', address, `${name}:${port}`]
}

/** WARN is about the scanner, such as ciphers that its openssl lacks. */
const harmless = ['OK', 'INFO', 'DEBUG', 'WARN']
/** For who wants it. */
const expected = ['HSTS']

/** What is wrong, of any severity, as lines; a scan that broke off is wrong too, and so is a grade below A where one is given. */
export function findFlaws(findings: readonly Finding[]): string[] {
  const isMissing = (id: string) => !findings.some(found => found.id.startsWith(id))
  return [
    ...['TLS1_2', 'cipherlist_STRONG', 'cert_chain_of_trust', 'heartbleed', 'LUCKY13', 'HSTS']
      .filter(isMissing)
      .map(id => `${id} was not looked at`),
    ...findings
      .filter(({ id, severity }) => !harmless.includes(severity) && !expected.includes(id))
      .map(({ id, severity, finding }) => `${id} ${severity} ${finding}`),
    ...findings
      .filter(({ id, finding }) => id === 'overall_grade' && !finding.startsWith('A'))
      .map(({ finding }) => `grade ${finding}`),
  ]
}
