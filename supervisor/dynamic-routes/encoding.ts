import { findTargetObstacle, type RouteContext } from './context.ts'
import type { DynamicRoute, WeightedTarget } from './route.ts'
import { formatTarget } from './target.ts'

/**
 * Route as nginx reads it (nginx/lua/monohull/route_text.lua), in one word: targets with weights, then settings, as in
 * `address:10.0.0.2:80*2,app:web;sticky;body=1048576;read=300000;users=BASE64`. Targets that cannot work are left out; `none` without any.
 */
export function encodeRoute({ targets, ...settings }: DynamicRoute, context: RouteContext): string {
  const working = targets.filter(({ target }) => !findTargetObstacle(target, context))
  if (working.length === 0) return 'none'
  return [working.map(one => encodeTarget(one, context)).join(','), ...encodeSettings(settings)].join(';')
}

function encodeTarget({ target, weight }: WeightedTarget, { apps }: RouteContext): string {
  const share = weight === 1 ? '' : `*${weight}`
  if (target.kind === 'address') return `address:${formatTarget(target)}${share}`
  return `${apps.includes(target.name) ? 'app' : 'upstream'}:${target.name}${share}`
}

function encodeSettings({ isSticky, maxBodyBytes, readTimeoutMs, users }: Omit<DynamicRoute, 'targets'>): string[] {
  return [
    ...(isSticky ? ['sticky'] : []),
    ...(maxBodyBytes === undefined ? [] : [`body=${maxBodyBytes}`]),
    ...(readTimeoutMs === undefined ? [] : [`read=${readTimeoutMs}`]),
    ...(users.length > 0 ? [`users=${Buffer.from(users.join('\n')).toString('base64')}`] : []),
  ]
}
