import { quote } from '../nginx/text.ts'
import type { RouteRules } from './route-rules.ts'

/**
 * Request targets with dot segments. nginx selects a route by the path without `.` and `..`, but the app gets the path as the client wrote
 * it. Many apps treat /admin/x/../.. as a path below /admin, although another route with other access control has let it in. Such paths are
 * rejected if access control differs between routes; no browser sends them. `;` begins a parameter, which Java servers remove first.
 */
const dotSegment = String.raw`~*^[^?]*(/|%2f|\\|%5c)(\.|%2e){1,2}(/|%2f|\\|%5c|;|%3b|\?|$)`

/** Lines for the http block. */
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

/** Lines for each server block that serves the site. */
export function refuseDotSegments(rules: readonly RouteRules[]): string[] {
  return isGuardedByPath(rules) ? ['# routes', 'if ($monohull_has_dots) {', '    return 400;', '}'] : []
}

/** Whether access control differs between routes. */
function isGuardedByPath(rules: readonly RouteRules[]): boolean {
  return rules.some(({ basicAuth, allow, deny, clientCertificate }) => basicAuth ?? allow ?? deny ?? clientCertificate)
}
