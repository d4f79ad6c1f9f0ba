/** What is in a folder, as far as anybody is served it. */
export interface DirectoryContent {
  /** Files that are compressed already. */
  gzip: boolean
  brotli: boolean
  /** Symbolic links, which nobody has followed. */
  links: boolean
  /** Directories into which somebody may write who is no operator. */
  writable: boolean
}

/** What is known of a folder of static files. */
export interface DirectoryFacts {
  content: DirectoryContent
  /** The type of the one that holds it all; undefined when there are several. */
  fileSystem: string | undefined
}

/** By path. */
export type Directories = ReadonlyMap<string, DirectoryFacts>

/** What of it nginx may spare itself with each request. */
export interface DirectoryShortcuts {
  /** Whether a compressed file beside the one that is asked for is looked for. */
  looksForGzip: boolean
  looksForBrotli: boolean
  /** Whether each part of the path is looked at, lest it is a symbolic link. */
  looksForLinks: boolean
  /** Whether files that are asked for often stay open, and are looked at with each request all the same, or once in a second. */
  keepsOpen: 'never' | 'each request' | 'a second'
}

/** What a container's own layer is on: its image, and what was written over it since. */
const ownLayer = 'overlay'

/** Where the mode of a folder says who may write into it. */
const honestFileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'tmpfs', 'squashfs', 'erofs'])

/** Whether there are no symbolic links, and nobody can put one there but an operator. */
export function isLinkless({ content, fileSystem }: DirectoryFacts): boolean {
  return !content.links && !content.writable && honestFileSystems.has(fileSystem ?? '')
}

/** How a route uses a folder. */
export interface DirectoryUse {
  /** Of symbolic links. They may lead to anything. */
  followsLinks: boolean
  /** For one path, which may be a hidden one, where nobody has looked. */
  isExact: boolean
}

/** Of a folder that nothing is known of, nothing is spared. */
export function shortcutsOf(
  facts: DirectoryFacts | undefined,
  { followsLinks, isExact }: DirectoryUse,
): DirectoryShortcuts {
  if (!facts) return { looksForGzip: true, looksForBrotli: true, looksForLinks: !followsLinks, keepsOpen: 'never' }
  const { content, fileSystem } = facts
  const leadsElsewhere = followsLinks && content.links
  const looksForLinks = !followsLinks && (isExact || !isLinkless(facts))
  return {
    looksForGzip: content.gzip || leadsElsewhere,
    looksForBrotli: content.brotli || leadsElsewhere,
    looksForLinks,
    keepsOpen: followsLinks ? 'never' : keepsOpenOn(fileSystem, looksForLinks),
  }
}

/** Looking for links takes opening the file, so that one which stays open would gain nothing. */
function keepsOpenOn(fileSystem: string | undefined, looksForLinks: boolean): DirectoryShortcuts['keepsOpen'] {
  if (fileSystem === ownLayer) return 'a second'
  return looksForLinks ? 'never' : 'each request'
}
