import { quote } from '../../nginx/text.ts'

/** What a CA asks for, before any redirect, password or route. */
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
