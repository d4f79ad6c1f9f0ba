import { renderBusyLocation } from './nginx-busy.ts'
import type { NginxRoute } from './nginx-model.ts'
import { quote } from './nginx-text.ts'
import { proxyTarget, type Upstream } from './nginx-upstream.ts'

const hiddenFiles = ['location ~ /\\.(?!well-known/) {', '    return 404;', '}']

/** The locations of one host; of the apps that are `timed` the time that answers take is counted. nginx takes the longest that fits, the user's own in server.d among them. */
export function renderRoutes(
  routes: readonly NginxRoute[],
  apps: readonly Upstream[],
  timed: readonly string[],
): string[] {
  const root = routes.find(({ path }) => path === '/')
  const isFilesOnly = routes.every(({ target }) => target.kind === 'files')
  // an app has its own paths that begin with a dot
  const nested = isFilesOnly ? [] : hiddenFiles
  const render = ({ path, target }: NginxRoute): string[] => {
    if (target.kind === 'app') return atAndBelow(path, renderApp(target.app, apps, timed))
    if (path === '/') return block('/', ['try_files $uri $uri/ =404;', ...nested])
    return [
      ...block(`= ${path}`, [`return 308 ${path}/$is_args$args;`]),
      ...block(`${path}/`, [`alias ${quote(`${target.root}/`)};`, 'index index.html;', ...nested]),
    ]
  }
  return [
    // a folder at / is the root of the user's locations too
    ...(root?.target.kind === 'files' ? [`root ${quote(root.target.root)};`, 'index index.html;'] : []),
    ...routes.flatMap(render),
    ...(root ? [] : block('/', ['return 404;'])),
    ...(isFilesOnly ? hiddenFiles : []),
  ]
}

function block(match: string, body: readonly string[]): string[] {
  return [`location ${match} {`, ...body.map(line => `    ${line}`), '}']
}

/** nginx's prefixes end anywhere, and routes at the end of a segment. */
function atAndBelow(path: string, body: readonly string[]): string[] {
  return path === '/' ? block('/', body) : [...block(`= ${path}`, body), ...block(`${path}/`, body)]
}

function renderApp(name: string, apps: readonly Upstream[], timed: readonly string[]): string[] {
  const app = apps.find(candidate => candidate.name === name && candidate.servers.length > 0)
  if (!app) return ['return 503;']
  const counted = timed.includes(name) ? renderBusyLocation(name) : []
  return ['include snippets/proxy.conf;', ...counted, `proxy_pass ${proxyTarget(app)};`]
}
