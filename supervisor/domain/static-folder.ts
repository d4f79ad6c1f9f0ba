/** Which files are in a folder that are compressed already, and whether there are symbolic links, which nobody has followed. */
export interface Precompressed {
  gzip: boolean
  brotli: boolean
  links: boolean
}

/** What is known of a folder of static files. */
export interface FolderFacts {
  precompressed: Precompressed
  /** It lies in the container's own layer, where nobody writes into files while they are served. */
  isInOwnLayer: boolean
}

/** By path. */
export type Folders = ReadonlyMap<string, FolderFacts>

/** What of it nginx may spare itself with each request. */
export interface FolderShortcuts {
  /** Whether a compressed file beside the one that is asked for is looked for. */
  looksForGzip: boolean
  looksForBrotli: boolean
  /** Files that are asked for often stay open, and are looked at once in a second. */
  keepsOpen: boolean
}

/** Of a folder that nothing is known of, nothing is spared. Links may lead to anything. */
export function shortcutsOf(
  facts: FolderFacts | undefined,
  { followsLinks }: { followsLinks: boolean },
): FolderShortcuts {
  if (!facts) return { looksForGzip: true, looksForBrotli: true, keepsOpen: false }
  const { gzip, brotli, links } = facts.precompressed
  const leadsElsewhere = followsLinks && links
  return {
    looksForGzip: gzip || leadsElsewhere,
    looksForBrotli: brotli || leadsElsewhere,
    keepsOpen: facts.isInOwnLayer && !followsLinks,
  }
}
