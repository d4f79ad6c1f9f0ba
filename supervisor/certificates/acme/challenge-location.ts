import { block, quote } from '../../nginx/text.ts'

/** Part of nginx's model about HTTP-01 challenges. */
interface ChallengeModel {
  /** Directory of the responses; undefined without HTTP-01. */
  acmeChallenges: string | undefined
  /** Socket of the supervisor that knows the responses of other instances; undefined without shared_state. */
  sharedChallenges?: string | undefined
}

/** Location of HTTP-01 challenges, which takes precedence over redirects, passwords and routes. */
export function renderChallenges({ acmeChallenges, sharedChallenges }: ChallengeModel): string[] {
  if (acmeChallenges === undefined) return []
  return [
    '# tls.acme',
    'location ^~ /.well-known/acme-challenge/ {',
    `    alias ${quote(`${acmeChallenges}/`)};`,
    '    default_type text/plain;',
    '    auth_basic off;',
    '    allow all;',
    ...(sharedChallenges === undefined ? [] : renderOwn(acmeChallenges).map(line => `    ${line}`)),
    '}',
    ...(sharedChallenges === undefined ? [] : renderShared(sharedChallenges)),
  ]
}

/** Location of challenges that this instance may have a file for. What is no token is not found. */
function renderOwn(directory: string): string[] {
  return block('~ ^/\\.well-known/acme-challenge/([A-Za-z0-9_-]+)$', [
    `root ${quote(directory)};`,
    'try_files /$1 @monohull_shared_challenge;',
  ])
}

/** Location of challenges that this instance has no file for. */
function renderShared(socket: string): string[] {
  return [
    '# shared_state',
    ...block('@monohull_shared_challenge', [
      'include snippets/open.conf;',
      `proxy_pass http://unix:${socket};`,
      'proxy_method GET;',
      'proxy_http_version 1.1;',
      'proxy_set_header Host localhost;',
      'proxy_set_header Connection "";',
      'proxy_pass_request_headers off;',
      'proxy_pass_request_body off;',
      'proxy_set_header Content-Length "";',
      'proxy_connect_timeout 1s;',
      'proxy_read_timeout 3s;',
      'proxy_cache off;',
    ]),
  ]
}
