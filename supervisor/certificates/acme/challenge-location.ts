import { quote } from '../../nginx/text.ts'

/** Location of HTTP-01 challenges, which takes precedence over redirects, passwords and routes. */
export function renderChallenges({ acmeChallenges }: { acmeChallenges: string | undefined }): string[] {
  if (acmeChallenges === undefined) return []
  return [
    '# tls.acme',
    'location ^~ /.well-known/acme-challenge/ {',
    `    alias ${quote(`${acmeChallenges}/`)};`,
    '    default_type text/plain;',
    '    auth_basic off;',
    '    allow all;',
    '}',
  ]
}
