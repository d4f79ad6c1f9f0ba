import { quote } from '../nginx/text.ts'
import type { RouteRules } from './route-rules.ts'

/**
 * A route is chosen by the path without `.` and `..`, and the app gets it as the client wrote it: for many, /admin/x/../.. is still
 * something below /admin, which another route may let in. Where it matters who gets in to which route, such paths are refused; no browser
 * writes one. `;` begins a parameter, which Java's servers take off before.
 */
const dotSegment = String.raw`~*^[^?]*(/|%2f|\\|%5c)(\.|%2e){1,2}(/|%2f|\\|%5c|;|%3b|\?|$)`

/** For the http block. */
export function renderDotSegments(rules: readonly RouteRules[]): string[] {
  if (!isGuardedByPath(rules)) return []
  return [
    '',
    '# routes',
    'map $request_uri $monohull_has_dots {',
    "    default '';",
    `    ${quote(dotSegment)} 1;`,
    '}',
  ]
}

/** For each server block that serves. */
export function refuseDotSegments(rules: readonly RouteRules[]): string[] {
  return isGuardedByPath(rules) ? ['# routes', 'if ($monohull_has_dots) {', '    return 400;', '}'] : []
}

/** Whether some route lets in others than the rest. */
function isGuardedByPath(rules: readonly RouteRules[]): boolean {
  return rules.some(({ basicAuth, allow, deny, clientCertificate }) => basicAuth ?? allow ?? deny ?? clientCertificate)
}
