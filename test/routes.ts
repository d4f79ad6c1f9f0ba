import {
  type FilesTarget,
  type ProxiedTarget,
  type RouteTarget,
  type ServedRoute,
  spoolsAll,
} from '../supervisor/routes/route.ts'

/** A route as nginx is to have it; without more, everything to the target. */
export function routeTo(target: RouteTarget, more: Partial<ServedRoute> = {}): ServedRoute {
  return {
    origin: undefined,
    host: undefined,
    match: 'prefix',
    path: '/',
    target,
    rules: {},
    snippet: undefined,
    ...more,
  }
}

export function toApp(name: string, more: Partial<ProxiedTarget> = {}): ProxiedTarget {
  return {
    kind: 'app',
    name,
    stripsPrefix: false,
    rewrite: undefined,
    readTimeoutMs: undefined,
    buffering: undefined,
    headSize: undefined,
    spool: spoolsAll,
    ...more,
  }
}

export function toUpstream(name: string, more: Partial<ProxiedTarget> = {}): ProxiedTarget {
  return { ...toApp(name, more), kind: 'upstream' }
}

export function toFiles(root: string, more: Partial<FilesTarget> = {}): FilesTarget {
  return {
    kind: 'files',
    root,
    index: 'index.html',
    fallback: undefined,
    fallbackFor: 'pages',
    cache: [],
    isListed: false,
    looksForGzip: true,
    looksForBrotli: true,
    looksForLinks: true,
    keepsOpen: 'never',
    ...more,
  }
}
