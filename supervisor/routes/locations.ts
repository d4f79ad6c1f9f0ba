import { includeOwn } from '../nginx/own-files.ts'
import { block, literal, quote } from '../nginx/text.ts'
import { appKey } from '../workers/app-upstream.ts'
import { type DirectoryRoute, hiddenFiles, renderDirectory, renderDirectoryMaps } from './directory.ts'
import { includeFrontHeaders, mayRefuse, renderAdmission, renderResponseRules } from './front.ts'
import { type ProxiedRoute, renderBareRestMap, renderPathMap, renderProxied, renderRestMap } from './proxied.ts'
import { isGuarded, nextUrl, renderGuard } from './retries.ts'
import type { RedirectTarget, ResponseTarget, RoutesModel, ServedRoute } from './route.ts'
import { headSizeIn, withoutReplaced } from './snippet-directives.ts'

/** Bodies of two locations: `at` for the path itself, `below` for everything below it. */
interface Bodies {
  at: string[]
  below: string[]
}

/** Maps for the http block that define the variables of routes. */
export function renderRouteMaps({ routes }: Pick<RoutesModel, 'routes'>): string[] {
  return routes.flatMap((route, index) => {
    const map = renderMap(route, index)
    return map.length > 0 ? ['', ...origin(route), ...map] : []
  })
}

/** Locations of one host. nginx uses the longest match, including the user's own locations in server.d. */
export function renderRoutes(routes: readonly ServedRoute[], model: RoutesModel): string[] {
  const root = routes.find(({ path, match }) => path === '/' && match === 'prefix')
  const isFilesOnly = routes.every(({ target }) => target.kind === 'files')
  const exact = new Set(routes.flatMap(({ path, match }) => (match === 'exact' ? path : [])))
  return [
    // a directory at / is also the root of the user's locations
    ...(root?.target.kind === 'files'
      ? [...origin(root), `root ${quote(root.target.root)};`, `index ${root.target.index};`]
      : []),
    ...routes.flatMap(route => [...origin(route), ...honourSnippet(route, model, renderRoute(route, model, exact))]),
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

function renderRoute(route: ServedRoute, model: RoutesModel, exact: ReadonlySet<string>): string[] {
  if (isGuarded(route, model)) return renderGuarded(route, model, exact)
  const { at, below } = renderBodies(route, model)
  const admission = renderAdmission(route, model)
  const treatment = renderResponseRules(route, model)
  const isReturn = route.target.kind === 'redirect' || route.target.kind === 'response'
  if (!isReturn || !mayRefuse(route, model.front)) {
    const rules = [...admission, ...treatment]
    return locations(route, { at: [...rules, ...at], below: [...rules, ...below] }, exact)
  }
  // nginx runs `return` before its access checks, but enters a named location after them
  const name = `@monohull_route_${model.routes.indexOf(route)}`
  const respond = (suffix: string, body: string[]) => block(`${name}${suffix}`, [...treatment, ...body])
  const enter = (suffix: string) => [...admission, `try_files '' ${name}${suffix};`]
  if (at.join() === below.join()) return [...locations(route, same(enter('')), exact), ...respond('', below)]
  return [
    ...locations(route, { at: enter('_at'), below: enter('') }, exact),
    ...respond('_at', at),
    ...respond('', below),
  ]
}

/** Route to an app: a request that gets no response enters the second locations, if the supervisor allows it. */
function renderGuarded(route: ProxiedRoute, model: RoutesModel, exact: ReadonlySet<string>): string[] {
  const rules = [...renderAdmission(route, model), ...renderResponseRules(route, model)]
  const first = renderBodies(route, model)
  const next = renderBodies(route, model, nextUrl)
  const name = `@monohull_retry_${model.routes.indexOf(route)}`
  const differs = first.at.join() !== first.below.join()
  const complete = (location: string, body: string[]) => [...rules, ...renderGuard(route, model, location), ...body]
  const atName = differs ? `${name}_at` : name
  return [
    ...locations(route, { at: complete(atName, first.at), below: complete(name, first.below) }, exact),
    ...(differs ? block(atName, complete(atName, next.at)) : []),
    ...block(name, complete(name, next.below)),
  ]
}

function renderMap(route: ServedRoute, index: number): string[] {
  const { target, path } = route
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
      return []
  }
}

function renderBodies(route: ServedRoute, model: RoutesModel, url?: string): Bodies {
  const { target, path } = route
  const variable = variableOf(model.routes.indexOf(route))
  const snippet = route.snippet ? [includeOwn(route.snippet)] : []
  switch (target.kind) {
    case 'app':
    case 'upstream':
      return withSnippet(renderProxied(withSnippetHeads(route as ProxiedRoute, model), model, variable, url), snippet)
    case 'files': {
      const headers = includeFrontHeaders(route, model.front)
      const body = renderDirectory(route as DirectoryRoute, { variable, features: model.features, headers })
      return { at: [`return 308 ${path}/$is_args$args;`], below: [...body, ...snippet] }
    }
    case 'redirect':
      return withSnippet(renderRedirect(route, target, variable), snippet)
    case 'response':
      return withSnippet(same(renderResponse(target)), snippet)
  }
}

function withSnippet({ at, below }: Bodies, snippet: string[]): Bodies {
  return { at: [...snippet, ...at], below: [...snippet, ...below] }
}

function same(body: string[]): Bodies {
  return { at: body, below: body }
}

function renderRedirect(
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

function renderResponse({ status, body, contentType }: ResponseTarget): string[] {
  if (body === '') return [`return ${status};`]
  return [`default_type ${contentType};`, `return ${status} ${literal(body)};`]
}

function locations({ path, match }: ServedRoute, { at, below }: Bodies, exact: ReadonlySet<string>): string[] {
  if (match === 'exact') return block(`= ${path}`, below)
  if (match === 'regex') return block(`~ ${quote(path)}`, below)
  if (path === '/') return block('/', below)
  // nginx matches prefixes of any length, routes only whole segments
  return [...(exact.has(path) ? [] : block(`= ${path}`, at)), ...block(`${path}/`, below)]
}

function variableOf(index: number): string {
  return `$monohull_route_${index}`
}

/** Comment that names the keys of a route. */
function origin({ origin: key, target }: ServedRoute): string[] {
  return [`# ${key ?? (target.kind === 'app' ? appKey(target.name) : 'app')}`]
}
