import { differsInAccess } from '../front/ambiguous-paths.ts'
import { recursiveErrors } from '../front/forward-auth.ts'
import { includeOwn } from '../nginx/own-files.ts'
import { block, quote } from '../nginx/text.ts'
import { appKey } from '../workers/app-upstream.ts'
import { type Bodies, same, withSnippet } from './bodies.ts'
import { renderRouteCount } from './counted.ts'
import { type DirectoryRoute, hiddenFiles, renderDirectory, renderDirectoryMaps } from './directory.ts'
import { renderRouteForwardAuth } from './forward-auth.ts'
import { includeFrontHeaders, mayRefuse, renderAdmission, renderAdmitted, renderResponseRules } from './front.ts'
import { renderInternal } from './internal.ts'
import { isPhp, type PhpRoute, renderPhpFiles, renderPhpMaps } from './php.ts'
import {
  isProxied,
  type ProxiedModel,
  type ProxiedRoute,
  renderAuthorization,
  renderBareRestMap,
  renderPathMap,
  renderProxied,
  renderRestMap,
} from './proxied.ts'
import { proxySettings, setsHeaders, sharesProxySettings } from './proxy-settings.ts'
import { isGuarded, nextAddress, renderGuard } from './retries.ts'
import { renderRedirect, renderResponse } from './returns.ts'
import type { RoutesModel, ServedRoute } from './route.ts'
import { headSizeIn, withoutReplaced } from './snippet-directives.ts'

/** Maps for the http block that define the variables of routes. */
export function renderRouteMaps({ routes }: Pick<RoutesModel, 'routes'>): string[] {
  return routes.flatMap((route, index) => {
    const map = renderMap(route, index)
    return map.length > 0 ? ['', ...origin(route), ...map] : []
  })
}

/** Locations of a host; undefined: of all other hosts. nginx uses the longest match, including the user's own locations in server.d. */
export function renderRoutes(routes: readonly ServedRoute[], model: RoutesModel, host?: string): string[] {
  const root = routes.find(({ path, match }) => path === '/' && match === 'prefix')
  const isFilesOnly = routes.every(({ target }) => target.kind === 'files')
  const site: Site = {
    host,
    exact: new Set(routes.flatMap(({ path, match }) => (match === 'exact' ? path : []))),
    retries: new Map(),
    model: { ...model, differsInAccess: differsInAccess(model.routes) },
  }
  return [
    ...(sharesProxySettings(model) && routes.some(isProxied)
      ? ['# routes', proxySettings, ...sharedHeaders(model)]
      : []),
    // a directory at / is also the root of the user's locations
    ...(root?.target.kind === 'files'
      ? [...origin(root), `root ${quote(root.target.root)};`, `index ${root.target.index};`]
      : []),
    ...routes.flatMap(route => [
      ...origin(route),
      ...honourSnippet(route, model, renderRoute(route, site)),
      ...renderRouteForwardAuth(route, model),
    ]),
    ...(root ? [] : ['# routes', ...block('/', ['return 404;'])]),
    ...(isFilesOnly ? ['# routes', ...hiddenFiles] : []),
  ]
}

function honourSnippet({ snippet }: ServedRoute, model: RoutesModel, lines: string[]): string[] {
  const text = snippet === undefined ? undefined : model.ownFiles.get(snippet)
  return withoutReplaced(lines, text, model.proxySettings)
}

/** Route with the largest response head that its snippet sets: nginx accepts it only with buffers to match. */
function withSnippetHeads(route: ProxiedRoute, { ownFiles }: RoutesModel): ProxiedRoute {
  const headSize = route.snippet && headSizeIn(ownFiles.get(route.snippet) ?? '')
  return headSize ? { ...route, target: { ...route.target, headSize } } : route
}

/** Locations of one host. */
interface Site {
  host: string | undefined
  /** Paths of the routes that match exactly. */
  exact: ReadonlySet<string>
  /** Named locations for another try, by what is in them: routes share them, as each costs memory in every nginx process. */
  retries: Map<string, string>
  model: RoutesModel & ProxiedModel
}

function renderRoute(route: ServedRoute, site: Site): string[] {
  const { model } = site
  const { target } = route
  if (isPhp(route)) return renderPhp(route, site)
  if (isGuarded(route, model)) return renderGuarded(route, site)
  const { at, below } = renderBodies(route, model)
  const admission = [...renderRouteCount(route, site.host, model), ...renderAdmission(route, model)]
  const treatment = renderResponseRules(route, model)
  if (!isEnteredLater(route, model)) {
    const rules = [...admission, ...treatment]
    const entry = target.kind === 'files' ? redirectLater(route, { admission, treatment, at }, model) : undefined
    const bodies = { at: entry?.at ?? [...rules, ...at], below: [...rules, ...below] }
    return [...locations(route, bodies, site), ...(entry?.later ?? [])]
  }
  const rules = [...(isProxied(route) ? renderAdmitted(route, model) : []), ...treatment]
  return enterLater(route, { admission, bodies: { at: [...rules, ...at], below: [...rules, ...below] } }, site)
}

/**
 * Whether a route has a location of its own behind the one with the access checks. nginx runs `return` before its access checks, but enters a
 * named location after them; with `satisfy any`, it skips what Lua does in their phase.
 */
function isEnteredLater(route: ServedRoute, { front }: RoutesModel): boolean {
  const isReturn = route.target.kind === 'redirect' || route.target.kind === 'response'
  return isReturn ? mayRefuse(route, front) : isProxied(route) && route.rules.satisfiesAny === true
}

/**
 * The location at the path of a directory, which redirects into it: in a named location, if access rules or limits may reject the request.
 * Undefined if there is no such location, or none is needed.
 */
function redirectLater(
  route: ServedRoute,
  { admission, treatment, at }: { admission: readonly string[]; treatment: readonly string[]; at: readonly string[] },
  model: RoutesModel,
): { at: string[]; later: string[] } | undefined {
  if (!mayRefuse(route, model.front) || route.match !== 'prefix' || route.path === '/') return undefined
  const name = `@monohull_route_${model.routes.indexOf(route)}_at`
  return { at: [...admission, `try_files '' ${name};`], later: block(name, [...treatment, ...at]) }
}

function enterLater(
  route: ServedRoute,
  { admission, bodies }: { admission: readonly string[]; bodies: Bodies },
  site: Site,
): string[] {
  const { model } = site
  const name = `@monohull_route_${model.routes.indexOf(route)}`
  const enter = (suffix: string) => [...admission, `try_files '' ${name}${suffix};`]
  const { at, below } = bodies
  if (at.join() === below.join()) return [...locations(route, same(enter('')), site), ...proxyBlock(name, below, model)]
  return [
    ...locations(route, { at: enter('_at'), below: enter('') }, site),
    ...proxyBlock(`${name}_at`, at, model),
    ...proxyBlock(name, below, model),
  ]
}

/** Route to an app: a request that gets no response enters the second locations, if the supervisor allows it. */
function renderGuarded(route: ProxiedRoute, site: Site): string[] {
  const { model } = site
  const admission = renderAdmission(route, model)
  const isLater = isEnteredLater(route, model)
  const rules = [...(isLater ? renderAdmitted(route, model) : admission), ...renderResponseRules(route, model)]
  const first = renderBodies(route, model)
  const next = renderBodies(route, model, nextAddress)
  const retries: string[] = []
  const own = `@monohull_retry_${model.routes.indexOf(route)}`
  const guarded = (location: string, body: string[]) => [
    ...rules.filter(line => line !== recursiveErrors),
    ...renderGuard(route, model, location),
    ...body,
  ]
  function retryOf(body: string[], name: string): string {
    const content = guarded('', body).join('\n')
    const location = site.retries.get(content) ?? name
    if (location === name && !site.retries.has(content)) retries.push(...proxyBlock(name, guarded(name, body), model))
    site.retries.set(content, location)
    return location
  }
  const differs = first.at.join() !== first.below.join()
  const below = retryOf(next.below, own)
  const at = differs ? retryOf(next.at, `${own}_at`) : below
  const count = renderRouteCount(route, site.host, model)
  const bodies = { at: guarded(at, first.at), below: guarded(below, first.below) }
  if (isLater) return [...enterLater(route, { admission: [...count, ...admission], bodies }, site), ...retries]
  return [...locations(route, { at: [...count, ...bodies.at], below: [...count, ...bodies.below] }, site), ...retries]
}

/** Route to a PHP app: the location at the path sends files, and a named one runs scripts. */
function renderPhp(route: PhpRoute, site: Site): string[] {
  const { model } = site
  const index = model.routes.indexOf(route)
  const treatment = renderResponseRules(route, model)
  const rules = [...renderAdmission(route, model), ...treatment]
  const scripts = `@monohull_php_${index}`
  const retry = `@monohull_retry_${index}`
  const count = renderRouteCount(route, site.host, model)
  const hasRetry = isGuarded(route, model)
  const guard = hasRetry ? renderGuard(route, model, retry) : []
  const admitted = [...renderAdmitted(route, model), ...treatment].filter(
    line => line !== recursiveErrors || !guard.includes(line),
  )
  const files = (isExact: boolean) =>
    renderPhpFiles(route, { variable: variableOf(index), features: model.features, scripts, isExact })
  const snippet = route.snippet ? [includeOwn(route.snippet)] : []
  const isMount = route.target.php.mount === route.path
  const redirect = [`return 308 ${route.path}/$is_args$args;`]
  const admission = [...count, ...renderAdmission(route, model)]
  const entry = isMount ? redirectLater(route, { admission, treatment, at: redirect }, model) : undefined
  const bodies = {
    at: entry?.at ?? [...count, ...rules, ...(isMount ? redirect : [...snippet, ...files(true)])],
    below: [...count, ...rules, ...snippet, ...files(route.match === 'exact')],
  }
  return [
    ...locations(route, bodies, site),
    ...(entry?.later ?? []),
    ...block(scripts, [...admitted, ...guard, ...renderBodies(route, model).below]),
    ...(hasRetry ? block(retry, [...admitted, ...guard, ...renderBodies(route, model, nextAddress).below]) : []),
  ]
}

function renderMap(route: ServedRoute, index: number): string[] {
  const { target, path } = route
  if (isPhp(route)) return renderPhpMaps(route, variableOf(index))
  switch (target.kind) {
    case 'app':
    case 'upstream':
      return renderPathMap(route as ProxiedRoute, variableOf(index))
    case 'files':
      return renderDirectoryMaps(route as DirectoryRoute, variableOf(index))
    case 'redirect':
      if (!target.keepsPath || path === '/') return []
      return (target.to === '/' ? renderBareRestMap : renderRestMap)(path, variableOf(index))
    case 'response':
    case 'internal':
      return []
  }
}

function renderBodies(route: ServedRoute, model: Site['model'], address?: string): Bodies {
  const { target, path } = route
  const variable = variableOf(model.routes.indexOf(route))
  const snippet = route.snippet ? [includeOwn(route.snippet)] : []
  switch (target.kind) {
    case 'app':
    case 'upstream':
      return withSnippet(
        renderProxied(withSnippetHeads(route as ProxiedRoute, model), model, variable, address),
        snippet,
      )
    case 'files': {
      const headers = includeFrontHeaders(route, model.front)
      const body = renderDirectory(route as DirectoryRoute, { variable, features: model.features, headers })
      return { at: [`return 308 ${path}/$is_args$args;`], below: [...body, ...snippet] }
    }
    case 'internal':
      return withSnippet(renderInternal(target, path), snippet)
    case 'redirect':
      return withSnippet(renderRedirect(route, target, variable), snippet)
    case 'response':
      return withSnippet(same(renderResponse(target)), snippet)
  }
}

function locations({ path, match }: ServedRoute, { at, below }: Bodies, { exact, model }: Site): string[] {
  if (match === 'exact') return proxyBlock(`= ${path}`, below, model)
  if (match === 'regex') return proxyBlock(`~ ${quote(path)}`, below, model)
  if (path === '/') return proxyBlock('/', below, model)
  // nginx matches prefixes of any length, routes only whole segments
  return [...(exact.has(path) ? [] : proxyBlock(`= ${path}`, at, model)), ...proxyBlock(`${path}/`, below, model)]
}

/** Location that inherits the headers for the app from the server, unless it sets others itself: then nginx inherits none. */
function proxyBlock(name: string, body: string[], model: RoutesModel): string[] {
  const isHeir = sharesProxySettings(model) && body.filter(setsHeaders).join() === sharedHeaders(model).join()
  return block(name, isHeir ? body.filter(line => line !== proxySettings && !setsHeaders(line)) : body)
}

/** Headers for the app that stand in the server, beside the settings for every request. */
function sharedHeaders({ front }: Pick<RoutesModel, 'front'>): string[] {
  return renderAuthorization({}, front)
}

function variableOf(index: number): string {
  return `$monohull_route_${index}`
}

/** Comment that names the keys of a route. */
function origin({ origin: key, target }: ServedRoute): string[] {
  return [`# ${key ?? (target.kind === 'app' ? appKey(target.name) : 'app')}`]
}
