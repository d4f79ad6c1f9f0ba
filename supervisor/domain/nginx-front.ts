import { type Compression, renderCompression } from './nginx-compression.ts'
import { renderTrust, type Trust } from './nginx-forwarded.ts'

/** What holds for the whole front, whatever app or folder answers. Each part is rendered by a file of its own. */
export interface FrontRules {
  trust: Trust
  /** Undefined: answers go out as they are. */
  compression: Compression | undefined
}

/** For the http block. */
export function renderFront({ trust, compression }: FrontRules): string[] {
  return ['', ...renderTrust(trust), '', ...renderCompression(compression)]
}
