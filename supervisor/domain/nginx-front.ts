import { type Compression, renderCompression } from './nginx-compression.ts'
import { renderTrust, type Trust } from './nginx-forwarded.ts'
import { type ResponseHeader, renderHeaders, renderHeaderValues } from './nginx-headers.ts'
import { altSvcHeader, type Http3, renderAltSvc } from './nginx-http3.ts'
import { lines } from './nginx-text.ts'

/** What holds for the whole front, whatever app or folder answers. Each part is rendered by a file of its own. */
export interface FrontRules {
  trust: Trust
  /** Undefined: answers go out as they are. */
  compression: Compression | undefined
  headers: readonly ResponseHeader[]
  http3: Http3 | undefined
}

/** For the http block. */
export function renderFront({ trust, compression, headers, http3 }: FrontRules): string[] {
  return [
    '',
    ...renderTrust(trust),
    '',
    ...renderCompression(compression),
    ...renderHeaderValues(headers),
    ...(http3 ? renderAltSvc(http3) : []),
  ]
}

/** Files beside the rendered ones, by name. */
export function frontFiles({ headers, http3 }: FrontRules): [string, string][] {
  return [['rendered/headers.conf', lines([...renderHeaders(headers), ...(http3 ? [altSvcHeader] : [])])]]
}
