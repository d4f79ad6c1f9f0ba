import { bytesOf } from './cache/cache.ts'
import type { Spool, SpoolMedium } from './spool.ts'

/** What the configuration lets clients store. */
export interface StoredBodies {
  medium: SpoolMedium
  spool: Spool
  /** Body sizes of the whole front and of routes that store bodies, in nginx's notation or `off`. */
  sizes: readonly string[]
  /** Requests that nginx processes at the same time. */
  requests: number
}

/** Note for the operator if bodies within the limits can be larger, all together, than their medium; undefined if they cannot. */
export function noteOfBodies({ medium, spool, sizes, requests }: StoredBodies): string | undefined {
  const { directory, bytes } = medium
  const most = Math.max(...sizes.map(size => (size === 'off' ? Number.POSITIVE_INFINITY : bytesOf(size))))
  const room = spool.totalBodyBytes ?? bytes
  if (!spool.storesBodies || most * requests <= room) return undefined
  const largest = Number.isFinite(most) ? `up to ${inMegabytes(most)}` : 'any size'
  const bodies = `request bodies of ${largest} in ${requests} requests at the same time do not fit into`
  if (spool.totalBodyBytes === undefined)
    return `${bodies} the ${inMegabytes(bytes)} of ${directory}: nginx stores none while it is nearly full`
  return `${bodies} the ${inMegabytes(room)} of memory for them (${directory} is in memory): those that do not fit get 503 or 413. Set temp_dir to a directory on a disk for large uploads`
}

function inMegabytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MB`
}
