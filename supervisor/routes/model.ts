import { join, resolve } from 'node:path'
import type { ResponseHeadersConfig } from '../front/response-header-keys.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { UpstreamConfig } from '../upstreams/keys.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import type { PhpSite } from '../workers/php/site.ts'
import type { Route } from './keys.ts'
import type { FilesTarget, PhpTarget, RouteTarget, ServedRoute } from './route.ts'
import { routeRules } from './rules.ts'
import { type Directories, shortcutsOf } from './static-directory.ts'

/** Name of the socket in run_dir for pages of monohull itself. */
export const internalSocketName = 'internal.sock'

/** Settings that routes depend on. */
export interface RoutesSettings {
  config: {
    routes: readonly Route[]
    upstreams: Readonly<Record<string, Pick<UpstreamConfig, 'php'>>>
    directory: string
    run_dir: string
    headers: ResponseHeadersConfig
  }
  apps: readonly Pick<AppSettings, 'name' | 'content' | 'php'>[]
}

/** Settings that name directories of static files. */
export type DirectorySources = {
  config: Pick<RoutesSettings['config'], 'routes' | 'upstreams' | 'directory'>
  apps: RoutesSettings['apps']
}

/** Routes as nginx serves them. An app that is a directory becomes a route to static files. */
export function routesOf(
  { config, apps }: RoutesSettings,
  { features, directories }: { features: NginxFeatures; directories: Directories },
): ServedRoute[] {
  function toTarget(route: Route): RouteTarget | undefined {
    const { target, match } = route
    switch (target.kind) {
      case 'files': {
        const { index, fallback, fallback_for: fallbackFor, cache, listing, symlinks } = target
        const root = resolve(config.directory, target.root)
        return {
          kind: 'files',
          root,
          index,
          fallback,
          fallbackFor,
          cache: Object.entries(cache).map(([pattern, value]) => ({ pattern, value })),
          isListed: listing,
          ...shortcutsOf(directories.get(root), { followsLinks: symlinks, isExact: match === 'exact' }),
        }
      }
      case 'redirect':
        return { kind: 'redirect', to: target.to, status: target.status, keepsPath: target.keep_path }
      case 'response':
        return { kind: 'response', status: target.status, body: target.body, contentType: target.content_type }
      case 'upstream': {
        const site = siteOfUpstream(target.name, config)
        return { ...target, php: site && toPhp(site, placeOf(route)) }
      }
      case 'internal':
        return { ...target, socket: join(config.run_dir, internalSocketName) }
      case 'app': {
        const app = apps.find(({ name }) => name === target.name)
        if (app?.content.kind === 'files') return toDirectory(app.content.root, directories)
        return app && { ...target, php: app.php && toPhp(app.php, placeOf(route)) }
      }
    }
  }

  function placeOf(route: Route): PhpPlace {
    return { directories, isExact: route.match === 'exact', mount: mountOf(route, config.routes) }
  }

  return config.routes.flatMap((route): ServedRoute[] => {
    const target = toTarget(route)
    if (!target) return []
    const { origin, host, path, match, settings, snippet } = route
    const rules = routeRules(settings, config, features)
    return [{ origin, host, path, match, target, rules, snippet: snippet && resolve(config.directory, snippet) }]
  })
}

/** Directories of static files that routes may serve. */
export function staticDirectoriesOf({ config, apps }: DirectorySources): string[] {
  return [
    ...config.routes.flatMap(({ target }) => (target.kind === 'files' ? resolve(config.directory, target.root) : [])),
    ...apps.flatMap(({ content, php }) => (content.kind === 'files' ? content.root : (php?.root ?? []))),
    ...Object.values(config.upstreams).flatMap(({ php }) => (php ? resolve(config.directory, php.root) : [])),
  ]
}

/**
 * Path at which the document root of a route's app or upstream is: that of the shortest prefix above it that leads to the same. So a route for the
 * rules of a part of an app, such as /admin, leaves the paths of its files as they are.
 */
function mountOf({ host, path, match, target }: Route, routes: readonly Route[]): string {
  const mounts = routes.flatMap(other =>
    other.match === 'prefix' &&
    (other.host === undefined || other.host === host) &&
    isSameTarget(other.target, target) &&
    (other.path === '/' || path === other.path || path.startsWith(`${other.path}/`))
      ? other.path.replace(/\/$/, '')
      : [],
  )
  if (match === 'regex') return ''
  return mounts.reduce((shortest, mount) => (mount.length < shortest.length ? mount : shortest), mounts[0] ?? '')
}

function isSameTarget(one: Route['target'], other: Route['target']): boolean {
  return (one.kind === 'app' || one.kind === 'upstream') && one.kind === other.kind && one.name === other.name
}

/** Directory whose scripts others run. */
type RemoteSite = PhpSite & { remoteRoot?: string | undefined }

/** Directory of an upstream's scripts, as far as it has one. */
function siteOfUpstream(
  name: string,
  { upstreams, directory }: Pick<RoutesSettings['config'], 'upstreams' | 'directory'>,
): RemoteSite | undefined {
  const php = upstreams[name]?.php
  if (!php) return undefined
  return {
    root: resolve(directory, php.root),
    frontController: php.front_controller === 'off' ? undefined : php.front_controller,
    followsLinks: php.symlinks,
    isLinked: false,
    remoteRoot: php.remote_root,
  }
}

/** Route to a PHP app or upstream, as far as its files depend on it. */
interface PhpPlace {
  directories: Directories
  isExact: boolean
  mount: string
}

function toPhp(
  { root, frontController, followsLinks, isLinked, remoteRoot }: RemoteSite,
  { directories, isExact, mount }: PhpPlace,
): PhpTarget {
  // opcache knows a script by its path: behind a link that leads elsewhere now, it would run the former one
  const here = isLinked ? '$realpath_root' : '$document_root'
  const scriptRoot = remoteRoot === undefined ? here : remoteRoot.replace(/\/+$/, '')
  return { root, mount, frontController, scriptRoot, ...shortcutsOf(directories.get(root), { followsLinks, isExact }) }
}

function toDirectory(root: string, directories: Directories): FilesTarget {
  return {
    kind: 'files',
    root,
    index: 'index.html',
    fallback: undefined,
    fallbackFor: 'pages',
    cache: [],
    isListed: false,
    ...shortcutsOf(directories.get(root), { followsLinks: false, isExact: false }),
  }
}
