import { literal } from '../nginx/text.ts'
import { type Bodies, same } from './bodies.ts'
import type { RedirectTarget, ResponseTarget, ServedRoute } from './route.ts'

/** Bodies of a redirect. `variable` has the rest of the path. */
export function renderRedirect(
  { path, match }: ServedRoute,
  { to, status, keepsPath }: RedirectTarget,
  variable: string,
): Bodies {
  if (!keepsPath) return same([`return ${status} ${to};`])
  const base = to.replace(/\/$/, '')
  const at = [`return ${status} ${to}$is_args$args;`]
  if (match === 'exact') return same(at)
  if (path === '/') return same([`return ${status} ${base}$request_uri;`])
  return { at, below: [`return ${status} ${base || '/'}${variable}$is_args$args;`] }
}

/** Body of a fixed response. */
export function renderResponse({ status, body, contentType }: ResponseTarget): string[] {
  if (body === '') return [`return ${status};`]
  return [`default_type ${contentType};`, `return ${status} ${literal(body)};`]
}
