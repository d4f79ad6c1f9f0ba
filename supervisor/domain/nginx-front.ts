import { type Access, renderAccess, renderKnownHosts, renderUnknownHost, type UnknownHost } from './nginx-access.ts'
import { type Cache, cacheHeader, renderCache, renderCached } from './nginx-cache.ts'
import { type Compression, renderCompression } from './nginx-compression.ts'
import { errorPageFiles, renderErrorPages } from './nginx-error-pages.ts'
import { renderTrust, type Trust } from './nginx-forwarded.ts'
import { includeHeaders, type ResponseHeader, renderHeaders, renderHeaderValues } from './nginx-headers.ts'
import { altSvcHeader, type Http3, renderAltSvc } from './nginx-http3.ts'
import { type Limits, renderLimits, renderLimitsOf } from './nginx-limits.ts'
import { renderSendFiles, type SendFiles } from './nginx-send-files.ts'
import { lines } from './nginx-text.ts'

/** What holds for the whole front, whatever app or folder answers. Each part is rendered by a file of its own. */
export interface FrontRules {
  trust: Trust
  /** Undefined: answers go out as they are. */
  compression: Compression | undefined
  headers: readonly ResponseHeader[]
  http3: Http3 | undefined
  limits: Limits
  access: Access
  unknownHost: UnknownHost | undefined
  cache: Cache | undefined
  sendFiles: SendFiles
  /** The user's own HTML for errors of nginx, by status. */
  errorPages: ReadonlyMap<string, string>
}

interface FrontSurroundings {
  /** Paths for anybody: what holds clients off does not hold there. */
  open: readonly string[]
  /** nginx's own folder. */
  workDir: string
}

/** For the http block. */
export function renderFront(front: FrontRules, { open, workDir }: FrontSurroundings): string[] {
  const { trust, compression, headers, http3, limits, unknownHost, cache } = front
  return [
    '',
    ...renderTrust(trust),
    '',
    ...renderCompression(compression),
    ...renderHeaderValues(headers),
    ...(http3 ? renderAltSvc(http3) : []),
    '',
    ...renderLimits(limits, open),
    ...(unknownHost ? renderKnownHosts(unknownHost, open) : []),
    ...(cache ? renderCache(cache, workDir) : []),
  ]
}

/** For the server blocks that serve; `configFolder` is where nginx finds the files in use. */
export function renderFrontSite(front: FrontRules, configFolder: string): string[] {
  return [
    includeHeaders,
    ...renderUnknownHost(front.unknownHost),
    ...renderAccess(front.access),
    ...renderLimitsOf(front.limits),
    ...renderErrorPages(front, configFolder),
    ...(front.cache ? renderCached(front.cache) : []),
    ...renderSendFiles(front.sendFiles, front.headers),
  ]
}

/** Files beside the rendered ones, by name. */
export function frontFiles(front: FrontRules): [string, string][] {
  const headers = [
    ...renderHeaders(front.headers),
    ...(front.http3 ? [altSvcHeader] : []),
    ...(front.cache ? [cacheHeader] : []),
  ]
  return [['rendered/headers.conf', lines(headers)], ...errorPageFiles(front)]
}
